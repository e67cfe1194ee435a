/**
 * KL divergence between two distributions: Σ p ln(p / q) in nats, never below 0.
 * @param p - [vocabSize] logits, with their ln Σ exp
 * @param q - the same
 */
export function divergence(p: Float32Array, pNormaliser: number, q: Float32Array, qNormaliser: number): number {
  let sum = 0;
  for (let id = 0; id < p.length; id++) {
    const logprob = p[id]! - pNormaliser;
    const probability = Math.exp(logprob);
    if (probability > 0) sum += probability * (logprob - (q[id]! - qNormaliser));
  }
  return Math.max(0, sum); // rounding may take it below
}
