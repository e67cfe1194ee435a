/** The best continuations of a prompt's beams: the candidates of one step. */
import type { Candidates } from "../sampling/candidates.js";

/** A beam with one more token. */
export interface Continuation {
  /** Index of the beam that it continues. */
  readonly beam: number;
  readonly token: number;
  /** Σ ln p of all generated tokens, this one included, as processors leave them. */
  readonly logprob: number;
}

/** Keeps the k best of all that are offered, in order; of equal ones the earlier beam's, then the lower id. */
export class BestContinuations {
  readonly #beams: Int32Array;
  readonly #tokens: Int32Array;
  readonly #logprobs: Float64Array;
  /** What they are ordered by: the logprobs themselves, or these with noise. */
  readonly #keys: Float64Array;
  #count = 0;

  constructor(readonly size: number) {
    this.#beams = new Int32Array(size);
    this.#tokens = new Int32Array(size);
    this.#logprobs = new Float64Array(size);
    this.#keys = new Float64Array(size);
  }

  clear(): void {
    this.#count = 0;
  }

  /**
   * Offers every token after beam `beam`; beams come in order. What is −∞ or no number is not taken.
   * @param scores - [vocabSize]
   * @param base - what is added to each score to make it the Σ ln p of the continuation
   */
  offer(beam: number, scores: Float32Array, base: number): void {
    let worst = this.#worst;
    for (let token = 0; token < scores.length; token++) {
      const logprob = base + scores[token]!;
      if (!(logprob > worst)) continue;
      this.#insert(beam, token, logprob, logprob);
      worst = this.#worst;
    }
  }

  /**
   * Offers candidates after beam `beam`.
   * @param noise - by token, is added to what they are ordered by. With Gumbel noise the k best are a sample without
   *   replacement (Kool et al., 2019, arXiv:1903.06059).
   */
  offerSome(beam: number, candidates: Candidates, base: number, noise?: (token: number) => number): void {
    const { ids, scores, count } = candidates;
    for (let i = 0; i < count; i++) {
      const logprob = base + scores[i]!;
      if (!(logprob > Number.NEGATIVE_INFINITY)) continue;
      const key = noise === undefined ? logprob : logprob + noise(ids[i]!);
      if (key > this.#worst) this.#insert(beam, ids[i]!, logprob, key);
    }
  }

  /** In order of their keys. */
  list(): Continuation[] {
    return Array.from({ length: this.#count }, (_, i) => ({
      beam: this.#beams[i]!,
      token: this.#tokens[i]!,
      logprob: this.#logprobs[i]!,
    }));
  }

  /** What a newcomer has to exceed. */
  get #worst(): number {
    return this.#count < this.size ? Number.NEGATIVE_INFINITY : this.#keys[this.size - 1]!;
  }

  #insert(beam: number, token: number, logprob: number, key: number): void {
    if (this.#count < this.size) this.#count++;
    let at = this.#count - 1;
    for (; at > 0 && this.#keys[at - 1]! < key; at--) {
      this.#keys[at] = this.#keys[at - 1]!;
      this.#logprobs[at] = this.#logprobs[at - 1]!;
      this.#beams[at] = this.#beams[at - 1]!;
      this.#tokens[at] = this.#tokens[at - 1]!;
    }
    this.#keys[at] = key;
    this.#logprobs[at] = logprob;
    this.#beams[at] = beam;
    this.#tokens[at] = token;
  }
}
