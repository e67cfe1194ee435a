/** The likeliest tokens at a step, with log-probabilities: from the logits that were computed anyway. */
import { OutOfRangeError } from "../core/errors.js";
/**
 * @param logits - [vocabSize]
 * @param count - how many, from 0 to vocabSize
 * @returns the likeliest first; ties in order of id
 */
export function topAlternatives(logits, logSumExp, count) {
    if (!(Number.isInteger(count) && count >= 0 && count <= logits.length)) {
        throw new OutOfRangeError("alternatives", `a whole number from 0 to ${logits.length}`, count);
    }
    const best = [];
    for (let id = 0; id < logits.length && count > 0; id++) {
        const value = logits[id];
        if (best.length === count && value <= logits[best[count - 1]])
            continue;
        if (best.length === count)
            best.pop();
        let at = best.length;
        while (at > 0 && logits[best[at - 1]] < value)
            at--;
        best.splice(at, 0, id);
    }
    return best.map((token) => ({ token, logprob: logits[token] - logSumExp }));
}
