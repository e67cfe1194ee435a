/**
 * The tokens that may come next, with their scores: what filters narrow down and the draw chooses from.
 *
 * Kept in order of token id, so that no result depends on how a filter happened to sort.
 */
export class Candidates {
    ids;
    scores;
    count = 0;
    #probabilities;
    constructor(vocabSize) {
        this.ids = new Int32Array(vocabSize);
        this.scores = new Float32Array(vocabSize);
        this.#probabilities = new Float64Array(vocabSize);
    }
    /** Starts again from all tokens. @param logits - [vocabSize] */
    reset(logits) {
        this.scores.set(logits);
        for (let id = 0; id < logits.length; id++)
            this.ids[id] = id;
        this.count = logits.length;
        return this;
    }
    /** Keeps the candidates with `score >= threshold`; always at least those with the largest score. */
    keepFrom(threshold) {
        const bound = Math.min(threshold, this.largest());
        let kept = 0;
        for (let i = 0; i < this.count; i++) {
            if (this.scores[i] < bound)
                continue;
            this.scores[kept] = this.scores[i];
            this.ids[kept++] = this.ids[i];
        }
        this.count = kept;
    }
    largest() {
        let largest = Number.NEGATIVE_INFINITY;
        for (let i = 0; i < this.count; i++)
            if (this.scores[i] > largest)
                largest = this.scores[i];
        return largest;
    }
    /** Probabilities of the candidates, in their order; float64, summing to 1. Valid until the next call. */
    probabilities() {
        const largest = this.largest();
        const values = this.#probabilities.subarray(0, this.count);
        let sum = 0;
        for (let i = 0; i < this.count; i++) {
            values[i] = Math.exp(this.scores[i] - largest);
            sum += values[i];
        }
        for (let i = 0; i < this.count; i++)
            values[i] /= sum;
        return values;
    }
}
