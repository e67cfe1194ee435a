/**
 * Nucleus (top-p): keeps the smallest set of most likely candidates whose probabilities reach p.
 * Holtzman et al., 2020 (arXiv:1904.09751), §3.1.
 */
import { OutOfRangeError } from "../../core/errors.js";
/**
 * Candidates tied with the last one kept are kept too, so the result never depends on token order.
 * @throws OutOfRangeError unless p is in (0, 1].
 */
export function topPFilter(p) {
    if (!(p > 0 && p <= 1))
        throw new OutOfRangeError("topP", "above 0, at most 1", p);
    return (candidates) => {
        if (p === 1)
            return;
        candidates.keepFrom(nucleusThreshold(candidates, p));
    };
}
/** Scores are sorted only inside the one bucket in which the mass reaches p: this many buckets per unit of score. */
const bucketsPerUnit = 64;
const bucketCount = 2048;
/** The score of the least likely member of the nucleus. */
function nucleusThreshold(candidates, p) {
    const { scores, count } = candidates;
    const probabilities = candidates.probabilities();
    const largest = candidates.largest();
    const bucketOf = (i) => Math.min(bucketCount - 1, Math.floor((largest - scores[i]) * bucketsPerUnit));
    const masses = new Float64Array(bucketCount);
    for (let i = 0; i < count; i++)
        masses[bucketOf(i)] += probabilities[i];
    let mass = 0;
    let bucket = 0;
    while (bucket < bucketCount - 1 && mass + masses[bucket] < p)
        mass += masses[bucket++];
    const members = [];
    for (let i = 0; i < count; i++)
        if (bucketOf(i) === bucket)
            members.push(i);
    members.sort((a, b) => scores[b] - scores[a]);
    for (const i of members) {
        mass += probabilities[i];
        if (mass >= p)
            return scores[i];
    }
    return members.length > 0 ? scores[members.at(-1)] : Number.NEGATIVE_INFINITY;
}
