/**
 * The tokens that may come next, with their scores: what filters narrow down and the draw chooses from.
 *
 * Kept in order of token id, so that no result depends on how a filter happened to sort. As long as all tokens are
 * there, the scores are the logits themselves, and a temperature is only remembered: nothing is copied until a filter
 * leaves some out, or looks at scores that a temperature has changed.
 */
export class Candidates {
  count = 0;
  /** The logits, as long as nobody has left; then undefined. */
  #logits: Float32Array | undefined;
  /** What the logits are still to be divided by. */
  #divisor = 1;
  readonly #everyId: Int32Array;
  readonly #ownIds: Int32Array;
  readonly #ownScores: Float32Array;
  readonly #probabilities: Float64Array;

  constructor(vocabSize: number) {
    this.#everyId = Int32Array.from({ length: vocabSize }, (_, id) => id);
    this.#ownIds = new Int32Array(vocabSize);
    this.#ownScores = new Float32Array(vocabSize);
    this.#probabilities = new Float64Array(vocabSize);
  }

  /** Starts again from all tokens. @param logits - [vocabSize], not changed, to stay as they are meanwhile */
  reset(logits: Float32Array): this {
    this.#logits = logits;
    this.#divisor = 1;
    this.count = logits.length;
    return this;
  }

  /** Token ids; the first `count` are the candidates'. To be read only. */
  get ids(): Int32Array {
    return this.#logits === undefined ? this.#ownIds : this.#everyId;
  }

  /** Scores in the same order. To be read only. */
  get scores(): Float32Array {
    if (this.#logits !== undefined && this.#divisor !== 1) this.#keepAll();
    return this.#logits ?? this.#ownScores;
  }

  /** Divides every score. */
  divideBy(divisor: number): void {
    if (this.#logits !== undefined && this.#divisor === 1) {
      this.#divisor = divisor;
      return;
    }
    const { scores } = this;
    for (let i = 0; i < this.count; i++) scores[i]! /= divisor;
  }

  /** The k-th largest score. @param heap - [k], overwritten; k is at most `count` */
  kthLargest(heap: Float32Array): number {
    // Dividing keeps the order, so the k-th largest logit becomes the k-th largest score.
    const kth = kthLargest(this.#logits ?? this.#ownScores, this.count, heap);
    return this.#logits === undefined ? kth : Math.fround(kth / this.#divisor);
  }

  /** Keeps the candidates with `score >= threshold`; always at least those with the largest score. */
  keepFrom(threshold: number): void {
    this.keepFromAny(Math.min(threshold, this.largest()));
  }

  /** The same, for a threshold that some candidate reaches. */
  keepFromAny(threshold: number): void {
    const { ids, count } = this;
    const [ownIds, ownScores] = [this.#ownIds, this.#ownScores];
    const scores = this.#logits ?? ownScores;
    const divisor = this.#logits === undefined ? 1 : this.#divisor;
    // Below this, no logit comes up to the threshold when it is divided and rounded, not even to a subnormal number.
    const low = threshold * divisor - Math.abs(threshold * divisor) * 1e-6 - 1e-44 * divisor;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const undivided = scores[i]!;
      if (undivided < low) continue;
      const score = Math.fround(undivided / divisor);
      if (score < threshold) continue;
      ownScores[kept] = score;
      ownIds[kept++] = ids[i]!;
    }
    this.count = kept;
    this.#logits = undefined;
  }

  #keepAll(): void {
    this.keepFromAny(Number.NEGATIVE_INFINITY);
  }

  /** Keeps the candidates at the indices for which `keep` is true; `keep` sees them in order, before any is moved. */
  keepWhere(keep: (index: number) => boolean): void {
    if (this.#logits !== undefined) this.#keepAll();
    const [ids, scores] = [this.#ownIds, this.#ownScores];
    let kept = 0;
    for (let i = 0; i < this.count; i++) {
      if (!keep(i)) continue;
      ids[kept] = ids[i]!;
      scores[kept++] = scores[i]!;
    }
    this.count = kept;
  }

  /** A token's score; −∞ for one that is no candidate. */
  scoreOf(id: number): number {
    if (this.#logits !== undefined) return Math.fround(this.#logits[id]! / this.#divisor);
    const index = this.#indexOf(id);
    return index >= 0 ? this.#ownScores[index]! : Number.NEGATIVE_INFINITY;
  }

  /** Gives a token another score, if it is still a candidate. */
  change(id: number, score: (before: number) => number): void {
    if (this.#logits !== undefined) this.#keepAll();
    const index = this.#indexOf(id);
    if (index >= 0) this.#ownScores[index] = score(this.#ownScores[index]!);
  }

  /** Gives every candidate another score. */
  changeAll(score: (before: number, id: number) => number): void {
    if (this.#logits !== undefined) this.#keepAll();
    for (let i = 0; i < this.count; i++) this.#ownScores[i] = score(this.#ownScores[i]!, this.#ownIds[i]!);
  }

  /** Makes a token impossible. */
  ban(id: number): void {
    this.change(id, () => Number.NEGATIVE_INFINITY);
  }

  /** Makes all tokens impossible but these. @param allowed - by id */
  banAllBut(allowed: ReadonlySet<number>): void {
    this.keepWhere((index) => allowed.has(this.#ownIds[index]!));
  }

  /** Leaves one token, with score 0, whether it was possible or not. */
  force(id: number): void {
    this.#logits = undefined;
    this.#ownIds[0] = id;
    this.#ownScores[0] = 0;
    this.count = 1;
  }

  /** Writes all scores into `into` [vocabSize], −∞ for tokens that are no candidates. */
  scatter(into: Float32Array): void {
    const { ids, scores, count } = this;
    into.fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < count; i++) into[ids[i]!] = scores[i]!;
  }

  /** Index of a token among candidates that are kept apart; −1 where it is none. */
  #indexOf(id: number): number {
    let [low, high] = [0, this.count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ownIds[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.#ownIds[low] === id ? low : -1;
  }

  largest(): number {
    const { scores, count } = this;
    let largest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) if (scores[i]! > largest) largest = scores[i]!;
    return largest;
  }

  /** Probabilities of the candidates, in their order: the first `count`, summing to 1. Valid until the next call. */
  probabilities(): Float64Array {
    const { scores, count } = this;
    const largest = this.largest();
    const values = this.#probabilities;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      values[i] = Math.exp(scores[i]! - largest);
      sum += values[i]!;
    }
    for (let i = 0; i < count; i++) values[i]! /= sum;
    return values;
  }
}

/** By a heap of the largest so far. */
function kthLargest(values: Float32Array, count: number, heap: Float32Array): number {
  for (let i = 0; i < heap.length; i++) heap[i] = values[i]!;
  heap.sort();
  let smallest = heap[0]!;
  for (let i = heap.length; i < count; i++) {
    if (!(values[i]! > smallest)) continue;
    replaceSmallest(heap, values[i]!);
    smallest = heap[0]!;
  }
  return smallest;
}

/** Puts `value` in the place of the root of a min-heap. */
function replaceSmallest(heap: Float32Array, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}

/** Narrows candidates down or changes their scores. */
export type Filter = (candidates: Candidates) => void;

/** The place at which a token is chosen. */
export interface Place {
  /** Token ids so far: the prompt's, then the completion's. */
  readonly ids: readonly number[];
  /** How many of them are the prompt's. */
  readonly promptLength: number;
  /** A number in [0, 1) that depends on the seed, the place and the stream alone; the draw itself has stream 0. */
  readonly uniform: (stream: number) => number;
}

/** A filter that also looks at what stands before. */
export type Processor = (candidates: Candidates, place: Place) => void;
