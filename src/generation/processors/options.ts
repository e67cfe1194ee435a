/** What may be asked of the processors: penalties for repetition, and which tokens may come. */
import type { DryOptions } from "./dry.js";
import type { LengthDecay } from "./lengths.js";
import type { SequenceBias } from "./sequence-bias.js";
import type { WatermarkOptions } from "./watermark.js";

export interface PenaltyOptions {
  /** z / θ where z > 0, else z · θ, for tokens of prompt and completion. Default 1: none. */
  readonly repetitionPenalty?: number;
  /** Times the count of a token in the completion, taken off its score. Default 0. */
  readonly frequencyPenalty?: number;
  /** Taken off the score of every token that is in the completion. Default 0. */
  readonly presencePenalty?: number;
  /** How many of the last tokens these three look at. Default: all. */
  readonly lastN?: number;
  /** No run of this many tokens twice, in prompt and completion. Default: any. */
  readonly noRepeatNgramSize?: number;
  /** The more, the longer the repetition that a token would go on with. Default: none. */
  readonly dry?: DryOptions;
}

export interface TokenOptions {
  /** Added to the scores of tokens, by id; false bans. */
  readonly logitBias?: Readonly<Record<number, number | false>>;
  /** Added to the score of a sequence's last token where its others stand before it. */
  readonly sequenceBias?: readonly SequenceBias[];
  /** Sequences of token ids that are not to appear. */
  readonly badWords?: readonly (readonly number[])[];
  /** The only tokens that may come. */
  readonly allowedTokens?: readonly number[];
  /** Tokens that may come after the ids so far. */
  readonly prefixAllowedTokens?: (ids: readonly number[]) => Iterable<number>;
  /** Tokens that never come. */
  readonly suppressTokens?: readonly number[];
  /** Tokens that a completion does not begin with. */
  readonly beginSuppressTokens?: readonly number[];
  /** Tokens that must come, by their place in the completion, from 0. */
  readonly forcedTokens?: Readonly<Record<number, number>>;
  /** Tokens of the completion before which it may not end. */
  readonly minNewTokens?: number;
  /** Tokens of prompt and completion before which it may not end. */
  readonly minLength?: number;
  /** Ends gain once the completion is longer than `start`. */
  readonly lengthDecay?: LengthDecay;
  /** Favours a secret part of the vocabulary, so that `detectWatermark` can tell the text. Default: none. */
  readonly watermark?: WatermarkOptions;
}

/** Names of `PenaltyOptions`. */
export const penaltyOptionNames = [
  "repetitionPenalty",
  "frequencyPenalty",
  "presencePenalty",
  "lastN",
  "noRepeatNgramSize",
  "dry",
];

/** Names of `TokenOptions`. */
export const tokenOptionNames = [
  "logitBias",
  "sequenceBias",
  "badWords",
  "allowedTokens",
  "prefixAllowedTokens",
  "suppressTokens",
  "beginSuppressTokens",
  "forcedTokens",
  "minNewTokens",
  "minLength",
  "lengthDecay",
  "watermark",
];
