/** What the model thinks of tokens that it is given, from the pass that runs them. */
import { type Alternative, topAlternatives } from "./alternatives.js";
import type { NextLogits } from "./next-logits.js";
import type { OutputRow } from "./run.js";

/** A token of a prompt, or one that was added, under the model. */
export interface TokenScore {
  readonly token: number;
  /** Index of the token in the sequence; the first token of all is predicted from nothing, and has no score. */
  readonly position: number;
  /** ln p of the token under the model itself. */
  readonly logprob: number;
  /** The likeliest tokens at this place, likeliest first: as many as the session's `alternatives`. */
  readonly alternatives: readonly Alternative[];
}

/** Scores the tokens of a timeline, from the logits before each. */
export class TokenScorer {
  constructor(
    readonly ids: readonly number[],
    readonly alternatives: number,
    readonly onScore: (score: TokenScore) => void,
  ) {}

  /** @param position - of the token that the logits predict; nothing is done where there is none yet */
  score(position: number, { logits, logSumExp }: Pick<OutputRow, "logits" | "logSumExp">): void {
    const token = this.ids[position];
    if (token === undefined) return;
    const alternatives = topAlternatives(logits, logSumExp, this.alternatives);
    this.onScore({ token, position, logprob: logits[token]! - logSumExp, alternatives });
  }

  /** Scores the token after those that `next` comes after. */
  scoreNext({ length, values, logSumExp }: NextLogits): void {
    this.score(length, { logits: values, logSumExp });
  }
}
