/** What a beam search may be asked, and its defaults. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { EarlyStopping } from "./beams.js";
import { type LengthPenalty, lengthDivisor } from "./length-penalty.js";

export interface BeamSearchOptions {
  /** Hypotheses that are continued at each step. Default 4; 1 is greedy. */
  readonly beams?: number;
  /** Hypotheses to return for each prompt, best first; at most `beams`. Default 1. */
  readonly count?: number;
  /** Tokens to generate at most, the end token included. Default 256. */
  readonly maxTokens?: number;
  /** Tokens to generate before a hypothesis may end. Default 0. */
  readonly minTokens?: number;
  /** Default 1: the mean ln p of a hypothesis' tokens. */
  readonly lengthPenalty?: LengthPenalty;
  /** Default false; see `EarlyStopping`. */
  readonly earlyStopping?: EarlyStopping;
  readonly stopping?: BeamStoppingOptions;
  /** Token sequences that no hypothesis may contain. Default: the model's own banned ids; these come on top. */
  readonly badWords?: readonly (readonly number[])[];
  /** Ends the search between two steps; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called with the prompts that are done, of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface BeamStoppingOptions {
  /** Token ids that end a hypothesis, beside the model's own; their text is not part of it. */
  readonly tokenIds?: readonly number[];
  /** Whether the model's own end ids end a hypothesis. Default true. */
  readonly endIds?: boolean;
}

const optionNames = [
  "beams",
  "count",
  "maxTokens",
  "minTokens",
  "lengthPenalty",
  "earlyStopping",
  "stopping",
  "badWords",
  "signal",
  "onProgress",
];

/** Options with every default in its place. */
export interface BeamSettings {
  readonly beams: number;
  readonly count: number;
  readonly maxTokens: number;
  readonly minTokens: number;
  readonly divisor: (length: number) => number;
  readonly earlyStopping: EarlyStopping;
  readonly ends: ReadonlySet<number>;
  readonly badWords: readonly (readonly number[])[];
}

/**
 * @param endIds - the model's own
 * @throws UnknownOptionError, InvalidValueError, OutOfRangeError
 */
export function beamSettings(options: BeamSearchOptions, endIds: readonly number[], vocabSize: number): BeamSettings {
  rejectUnknownOptions(options, optionNames);
  const { stopping = {}, earlyStopping = false, badWords = [] } = options;
  rejectUnknownOptions(stopping, ["tokenIds", "endIds"], "stopping");
  if (![true, false, "never"].includes(earlyStopping)) {
    throw new InvalidValueError("earlyStopping", 'true, false or "never"', earlyStopping);
  }
  const beams = whole("beams", options.beams ?? 4, 1, 1024);
  const maxTokens = whole("maxTokens", options.maxTokens ?? 256, 1);
  for (const word of badWords) checkIds("badWords", word, vocabSize);
  const tokenIds = checkIds("stopping.tokenIds", stopping.tokenIds ?? [], vocabSize);
  return {
    beams,
    count: whole("count", options.count ?? 1, 1, beams),
    maxTokens,
    minTokens: whole("minTokens", options.minTokens ?? 0, 0, maxTokens),
    divisor: lengthDivisor(options.lengthPenalty ?? 1),
    earlyStopping,
    ends: new Set([...(stopping.endIds === false ? [] : endIds), ...tokenIds]),
    badWords,
  };
}

function whole(name: string, value: number, from: number, to = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  throw new OutOfRangeError(name, `a whole number from ${from} ${to < 2 ** 53 - 1 ? `to ${to}` : "on"}`, value);
}

function checkIds(name: string, ids: readonly number[], vocabSize: number): readonly number[] {
  for (const id of ids) {
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
      throw new InvalidValueError(name, `token ids from 0 to ${vocabSize - 1}`, id);
    }
  }
  return ids;
}
