/** How unsure a distribution is. */
import type { Candidates } from "./candidates.js";

/** −Σ p ln p of the candidates, in nats. */
export function entropyOf(candidates: Candidates): number {
  const probabilities = candidates.probabilities();
  let entropy = 0;
  for (let i = 0; i < candidates.count; i++) {
    const p = probabilities[i]!;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return entropy;
}
