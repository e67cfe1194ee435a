/** Top-k: keeps the k candidates with the largest scores. Fan et al., 2018 (arXiv:1805.04833). */
import { OutOfRangeError } from "../../core/errors.js";
/** Candidates tied with the k-th are kept too. @throws OutOfRangeError unless k is a whole number from 1 on. */
export function topKFilter(k) {
    if (!(Number.isInteger(k) && k >= 1))
        throw new OutOfRangeError("topK", "a whole number from 1 on", k);
    return (candidates) => {
        if (k < candidates.count)
            candidates.keepFrom(largestAt(candidates.scores.subarray(0, candidates.count), k));
    };
}
/** The k-th largest value, by a heap of the k largest so far. */
function largestAt(values, k) {
    const heap = values.slice(0, k).sort();
    for (let i = k; i < values.length; i++) {
        if (values[i] > heap[0])
            replaceSmallest(heap, values[i]);
    }
    return heap[0];
}
/** Puts `value` in the place of the root of a min-heap. */
function replaceSmallest(heap, value) {
    let at = 0;
    for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length)
            break;
        if (child + 1 < heap.length && heap[child + 1] < heap[child])
            child++;
        if (heap[child] >= value)
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}
