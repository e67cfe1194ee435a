/** Top-nσ: keeps scores within n standard deviations of the largest. Tang et al., 2024 (arXiv:2411.07641). */
import { OutOfRangeError } from "../../core/errors.js";
import type { Filter } from "./candidates.js";

/**
 * Keeps z ≥ max z − n·σ, σ over all finite scores (of the population, not of a sample).
 * @throws OutOfRangeError unless n is above 0
 */
export function topNSigmaFilter(n: number): Filter {
  if (!(n > 0 && Number.isFinite(n))) throw new OutOfRangeError("topNSigma", "above 0", n);
  return (candidates) => candidates.keepFrom(candidates.largest() - n * deviation(candidates.scores, candidates.count));
}

function deviation(scores: Float32Array, count: number): number {
  let [sum, finite] = [0, 0];
  for (let i = 0; i < count; i++) {
    if (scores[i]! === Number.NEGATIVE_INFINITY) continue;
    sum += scores[i]!;
    finite++;
  }
  const mean = sum / finite;
  let squares = 0;
  for (let i = 0; i < count; i++) {
    if (scores[i]! !== Number.NEGATIVE_INFINITY) squares += (scores[i]! - mean) ** 2;
  }
  return Math.sqrt(squares / finite);
}
