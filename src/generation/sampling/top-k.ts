/** Top-k: keeps the k candidates with the largest scores. Fan et al., 2018 (arXiv:1805.04833). */
import { OutOfRangeError } from "../../core/errors.js";
import type { Filter } from "./candidates.js";

/** Candidates tied with the k-th are kept too. @throws OutOfRangeError unless k is a whole number from 1 on. */
export function topKFilter(k: number): Filter {
  if (!(Number.isInteger(k) && k >= 1)) throw new OutOfRangeError("topK", "a whole number from 1 on", k);
  let heap = new Float32Array(0);
  return (candidates) => {
    if (k >= candidates.count) return;
    if (heap.length !== k) heap = new Float32Array(k); // only here: k may be larger than any vocabulary
    candidates.keepFromAny(candidates.kthLargest(heap));
  };
}
