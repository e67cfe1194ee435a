/**
 * Nucleus (top-p): keeps the smallest set of most likely candidates whose probabilities reach p.
 * Holtzman et al., 2020 (arXiv:1904.09751), §3.1.
 */
import { OutOfRangeError } from "../../core/errors.js";
import type { Candidates, Filter } from "./candidates.js";

/**
 * Candidates tied with the last one kept are kept too, so the result never depends on token order.
 * @throws OutOfRangeError unless p is in (0, 1].
 */
export function topPFilter(p: number): Filter {
  if (!(p > 0 && p <= 1)) throw new OutOfRangeError("topP", "above 0, at most 1", p);
  const masses = new Float64Array(bucketCount);
  return (candidates) => {
    if (p === 1) return;
    candidates.keepFrom(nucleusThreshold(candidates, p, masses));
  };
}

/** Scores are sorted only inside the one bucket in which the mass reaches p: this many buckets per unit of score. */
const bucketsPerUnit = 64;
const bucketCount = 2048;

/** The score of the least likely member of the nucleus. @param masses - [bucketCount], overwritten */
function nucleusThreshold(candidates: Candidates, p: number, masses: Float64Array): number {
  const { scores, count } = candidates;
  const probabilities = candidates.probabilities();
  const largest = candidates.largest();
  masses.fill(0);
  for (let i = 0; i < count; i++) masses[bucketOf(largest - scores[i]!)]! += probabilities[i]!;
  let mass = 0;
  let bucket = 0;
  while (bucket < bucketCount - 1 && mass + masses[bucket]! < p) mass += masses[bucket++]!;
  const members: number[] = [];
  for (let i = 0; i < count; i++) if (bucketOf(largest - scores[i]!) === bucket) members.push(i);
  members.sort((a, b) => scores[b]! - scores[a]!);
  for (const i of members) {
    mass += probabilities[i]!;
    if (mass >= p) return scores[i]!;
  }
  return members.length > 0 ? scores[members.at(-1)!]! : Number.NEGATIVE_INFINITY;
}

/** @param distance - from the largest score, 0 or more */
function bucketOf(distance: number): number {
  return Math.min(bucketCount - 1, distance * bucketsPerUnit) | 0;
}
