/** Logits after some token of a timeline: a session's own copy, since the program's are gone with its next run. */
import { type Alternative, topAlternatives } from "./alternatives.js";
import type { OutputRow } from "./run.js";

export class NextLogits {
  /** [vocabSize] */
  readonly values: Float32Array;
  logSumExp = 0;
  /** The id with the largest logit; of equal ones the lowest. */
  likeliest = 0;
  /** How many tokens they come after; −1: of none. */
  length = -1;

  constructor(vocabSize: number) {
    this.values = new Float32Array(vocabSize);
  }

  set({ logits, logSumExp, likeliest }: Pick<OutputRow, "logits" | "logSumExp" | "likeliest">, length: number): void {
    this.values.set(logits);
    this.logSumExp = logSumExp;
    this.likeliest = likeliest;
    this.length = length;
  }

  /** The same again, to go its own way. */
  copy(): NextLogits {
    const copy = new NextLogits(this.values.length);
    copy.set({ logits: this.values, logSumExp: this.logSumExp, likeliest: this.likeliest }, this.length);
    return copy;
  }

  /** The likeliest tokens, likeliest first. */
  top(count: number): Alternative[] {
    return topAlternatives(this.values, this.logSumExp, count);
  }

  /** ln p of a token. */
  logprob(token: number): number {
    return this.values[token]! - this.logSumExp;
  }
}
