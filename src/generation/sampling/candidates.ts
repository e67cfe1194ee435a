/**
 * The tokens that may come next, with their scores: what filters narrow down and the draw chooses from.
 *
 * Kept in order of token id, so that no result depends on how a filter happened to sort.
 */
export class Candidates {
  readonly ids: Int32Array;
  readonly scores: Float32Array;
  count = 0;
  readonly #probabilities: Float64Array;

  constructor(vocabSize: number) {
    this.ids = new Int32Array(vocabSize);
    this.scores = new Float32Array(vocabSize);
    this.#probabilities = new Float64Array(vocabSize);
  }

  /** Starts again from all tokens. @param logits - [vocabSize] */
  reset(logits: Float32Array): this {
    this.scores.set(logits);
    for (let id = 0; id < logits.length; id++) this.ids[id] = id;
    this.count = logits.length;
    return this;
  }

  /** Keeps the candidates with `score >= threshold`; always at least those with the largest score. */
  keepFrom(threshold: number): void {
    const bound = Math.min(threshold, this.largest());
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.scores[i]! < bound) continue;
      this.scores[kept] = this.scores[i]!;
      this.ids[kept++] = this.ids[i]!;
    }
    this.count = kept;
  }

  largest(): number {
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.count; i++) if (this.scores[i]! > largest) largest = this.scores[i]!;
    return largest;
  }

  /** Probabilities of the candidates, in their order; float64, summing to 1. Valid until the next call. */
  probabilities(): Float64Array {
    const largest = this.largest();
    const values = this.#probabilities.subarray(0, this.count);
    let sum = 0;
    for (let i = 0; i < this.count; i++) {
      values[i] = Math.exp(this.scores[i]! - largest);
      sum += values[i]!;
    }
    for (let i = 0; i < this.count; i++) values[i]! /= sum;
    return values;
  }
}

/** Narrows candidates down or changes their scores. */
export type Filter = (candidates: Candidates) => void;
