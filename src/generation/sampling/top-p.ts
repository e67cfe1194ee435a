/**
 * Nucleus (top-p): keeps the smallest set of most likely candidates whose probabilities reach p.
 * Holtzman et al., 2020 (arXiv:1904.09751), §3.1.
 */
import { OutOfRangeError } from "../../core/errors.js";
import type { Filter } from "./candidates.js";

/**
 * Candidates tied with the last one kept are kept too, so the result never depends on token order.
 * @throws OutOfRangeError unless p is in (0, 1].
 */
export function topPFilter(p: number): Filter {
  if (!(p > 0 && p <= 1)) throw new OutOfRangeError("topP", "above 0, at most 1", p);
  return (candidates) => {
    if (p === 1) return;
    const probabilities = candidates.probabilities();
    const threshold = nucleusThreshold(probabilities, p);
    let smallest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < candidates.count; i++) {
      if (probabilities[i]! >= threshold) smallest = Math.min(smallest, candidates.scores[i]!);
    }
    candidates.keepFrom(smallest);
  };
}

/** The probability of the least likely member of the nucleus. */
function nucleusThreshold(probabilities: Float64Array, p: number): number {
  // Candidates below this bound hold less than 1 - p together, so the nucleus lies above it: sort only those.
  const bound = (1 - p) / probabilities.length;
  const likely = probabilities.filter((probability) => probability >= bound).sort();
  let mass = 0;
  for (let i = likely.length - 1; i >= 0; i--) {
    mass += likely[i]!;
    if (mass >= p) return likely[i]!;
  }
  return 0;
}
