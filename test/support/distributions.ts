/** Random distributions for tests of filters and processors, and what the definitions are written with. */
import { CounterRandom } from "../../src/core/random.js";
import { Candidates, type Place, type Processor } from "../../src/generation/sampling/candidates.js";

export const rounds = 1000;

/** A stream of random numbers for one test file. */
export class Draws {
  readonly #random: CounterRandom;
  #count = 0;

  constructor(seed: number) {
    this.#random = new CounterRandom(seed);
  }

  uniform(): number {
    return this.#random.uniform(this.#count++);
  }

  /** A whole number from 0 to `end` − 1. */
  below(end: number): number {
    return Math.floor(this.uniform() * end);
  }

  /** Logits of a random vocabulary; some rounded, so that ties occur, some with banned tokens. */
  logits(size = 2 + this.below(60)): Float32Array {
    const step = this.uniform() < 0.3 ? 1 : 1e-6;
    const banned = this.uniform() < 0.3 ? 0.2 : 0;
    const logits = Float32Array.from({ length: size }, () =>
      this.uniform() < banned ? Number.NEGATIVE_INFINITY : Math.round(((this.uniform() - 0.5) * 12) / step) * step,
    );
    logits[this.below(size)] = 1.5;
    return logits;
  }

  /** A text over few tokens, so that they repeat. */
  text(vocabSize: number): Place {
    const ids = Array.from({ length: this.below(30) }, () => this.below(Math.min(vocabSize, 6)));
    const uniform = this.uniform();
    return { ids, promptLength: this.below(ids.length + 1), uniform: () => uniform };
  }
}

export function softmax(logits: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(logits));
  const exponentials = Array.from(logits, (z) => Math.exp(z - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

/** In nats. */
export function entropy(probabilities: readonly number[]): number {
  return -probabilities.reduce((sum, p) => sum + (p > 0 ? p * Math.log(p) : 0), 0);
}

/** Scores by id after a processor, −∞ for what it removed. */
export function scoresAfter(processor: Processor, logits: Float32Array, place?: Place): number[] {
  const candidates = new Candidates(logits.length).reset(logits);
  processor(candidates, place ?? { ids: [], promptLength: 0, uniform: () => 0 });
  const scores = new Float32Array(logits.length);
  candidates.scatter(scores);
  return Array.from(scores);
}

/** Ids that a processor leaves possible. */
export function left(processor: Processor, logits: Float32Array, place?: Place): number[] {
  const scores = scoresAfter(processor, logits, place);
  return [...scores.keys()].filter((id) => scores[id]! > Number.NEGATIVE_INFINITY);
}
