/** What a beam search may be asked, and its defaults. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { checkTokens } from "../processors/token-lists.js";
import type { Pipeline } from "../sampling/pipeline.js";
import { choiceOf } from "../sampling/sampler.js";
import type { ChoiceModel, ChoiceOptions } from "../sampling/stages.js";
import type { EarlyStopping } from "./beams.js";
import { type LengthPenalty, lengthDivisor } from "./length-penalty.js";
import { type Phrases, phrasesOf, type RequiredPhrase } from "./phrases.js";

/**
 * Processors see the log-probabilities of every beam. With `sampling`, continuations are drawn without replacement
 * from what the filters leave, instead of taking the best.
 */
export interface BeamSearchOptions extends ChoiceOptions {
  /** Hypotheses that are continued at each step. Default 4; 1 is greedy. */
  readonly beams?: number;
  /** Hypotheses to return for each prompt, best first; at most `beams`. Default 1. */
  readonly count?: number;
  /** Tokens to generate at most, the end token included. Default 256. */
  readonly maxTokens?: number;
  /** Default 1: the mean ln p of a hypothesis' tokens. */
  readonly lengthPenalty?: LengthPenalty;
  /** Default false; see `EarlyStopping`. */
  readonly earlyStopping?: EarlyStopping;
  readonly stopping?: BeamStoppingOptions;
  /** Groups of beams that are to differ, each of `beams` / `groups`. Default 1. */
  readonly groups?: number;
  /** Taken off a token's score for every beam of an earlier group that has just chosen it. Default 0.5. */
  readonly diversityPenalty?: number;
  /** Every hypothesis has all of these. Default: none. Not with `groups` or `sampling`. */
  readonly mustInclude?: readonly RequiredPhrase[];
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
  "lengthPenalty",
  "earlyStopping",
  "stopping",
  "groups",
  "diversityPenalty",
  "mustInclude",
  "sampling",
  "penalties",
  "tokens",
  "processors",
  "signal",
  "onProgress",
];

/** Options with every default in its place. */
export interface BeamSettings {
  readonly beams: number;
  readonly count: number;
  readonly maxTokens: number;
  readonly groups: number;
  readonly diversityPenalty: number;
  readonly divisor: (length: number) => number;
  readonly earlyStopping: EarlyStopping;
  readonly ends: ReadonlySet<number>;
  /** What stands between log-probabilities and the choice. */
  readonly pipeline: Pipeline;
  readonly phrases?: Phrases;
  /** Undefined: the best continuations are taken, not drawn. */
  readonly seed?: number;
}

/**
 * @param model - its own end ids among the rest
 * @param encode - makes token ids of a phrase
 * @throws UnknownOptionError, InvalidValueError, OutOfRangeError, MissingStageError
 */
export function beamSettings(
  options: BeamSearchOptions,
  model: ChoiceModel,
  encode: (text: string) => ArrayLike<number>,
): BeamSettings {
  rejectUnknownOptions(options, optionNames);
  const { earlyStopping = false, diversityPenalty = 0.5 } = options;
  if (![true, false, "never"].includes(earlyStopping)) {
    throw new InvalidValueError("earlyStopping", 'true, false or "never"', earlyStopping);
  }
  if (!(diversityPenalty >= 0 && Number.isFinite(diversityPenalty))) {
    throw new OutOfRangeError("diversityPenalty", "0 or above", diversityPenalty);
  }
  const beams = whole("beams", options.beams ?? 4, 1, 1024);
  const groups = whole("groups", options.groups ?? 1, 1, beams);
  if (beams % groups !== 0) throw new InvalidValueError("groups", `a divisor of the ${beams} beams`, groups);
  const ends = endsOf(options.stopping ?? {}, model);
  const choice = choiceOf(options, { ...model, endIds: [...ends] });
  const phrases = phrasesOf(options.mustInclude ?? [], model.vocabSize, encode);
  if (phrases !== undefined && (groups > 1 || choice.seed !== undefined)) {
    throw new InvalidValueError("mustInclude", "absent where there are groups or draws", options.mustInclude);
  }
  return {
    ...choice,
    phrases,
    beams,
    groups,
    diversityPenalty,
    count: whole("count", options.count ?? 1, 1, beams),
    maxTokens: whole("maxTokens", options.maxTokens ?? 256, 1),
    divisor: lengthDivisor(options.lengthPenalty ?? 1),
    earlyStopping,
    ends,
  };
}

/** Ids that end a hypothesis. @throws UnknownOptionError, InvalidValueError */
export function endsOf(stopping: BeamStoppingOptions, { endIds, vocabSize }: ChoiceModel): ReadonlySet<number> {
  rejectUnknownOptions(stopping, ["tokenIds", "endIds"], "stopping");
  const tokenIds = checkTokens("stopping.tokenIds", stopping.tokenIds ?? [], vocabSize);
  return new Set([...(stopping.endIds === false ? [] : endIds), ...tokenIds]);
}

function whole(name: string, value: number, from: number, to = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value;
  throw new OutOfRangeError(name, `a whole number from ${from} ${to < 2 ** 53 - 1 ? `to ${to}` : "on"}`, value);
}
