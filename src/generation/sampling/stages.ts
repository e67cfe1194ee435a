/**
 * What stands between a model's logits and the draw: every stage that was asked for, in an explicit order.
 *
 * Temperature is the first of the filters in Hugging Face's order and the last in llama.cpp's: the commonest reason why
 * the same options give different distributions.
 */
import { HithertoError, InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { dryProcessor } from "../processors/dry.js";
import { frequencyPenaltyProcessor } from "../processors/frequency-penalty.js";
import { lengthDecayProcessor, minLengthProcessor, minNewTokensProcessor } from "../processors/lengths.js";
import { noRepeatNgramProcessor } from "../processors/no-repeat-ngram.js";
import type { PenaltyOptions, TokenOptions } from "../processors/options.js";
import { repetitionPenaltyProcessor } from "../processors/repetition-penalty.js";
import { type SequenceBias, sequenceBiasProcessor } from "../processors/sequence-bias.js";
import {
  allowedTokensProcessor,
  beginSuppressTokensProcessor,
  forcedTokensProcessor,
  prefixAllowedTokensProcessor,
  suppressTokensProcessor,
} from "../processors/token-lists.js";
import { watermarkProcessor } from "../processors/watermark.js";
import type { Place, Processor } from "./candidates.js";
import { epsilonCutoffFilter, etaCutoffFilter } from "./cutoffs.js";
import { dynamicTemperatureFilter } from "./dynamic-temperature.js";
import { minPFilter } from "./min-p.js";
import { filterNames, type SamplingOptions } from "./options.js";
import { temperatureFilter } from "./temperature.js";
import { topKFilter } from "./top-k.js";
import { topNSigmaFilter } from "./top-n-sigma.js";
import { topPFilter } from "./top-p.js";
import { typicalPFilter } from "./typical-p.js";
import { xtcProcessor } from "./xtc.js";

/** Hugging Face's order; what it does not have stands where it fits. `own`: your own processors, unless placed. */
const huggingFace = [
  "logitBias",
  "sequenceBias",
  "repetitionPenalty",
  "frequencyPenalty",
  "dry",
  "noRepeatNgramSize",
  "badWords",
  "minLength",
  "minNewTokens",
  "allowedTokens",
  "prefixAllowedTokens",
  "forcedTokens",
  "lengthDecay",
  "suppressTokens",
  "beginSuppressTokens",
  "own",
  ...filterNames,
  "watermark",
] as const;

export type StageName = (typeof huggingFace)[number];

/** The filters in llama.cpp's order; all that looks at the text comes before them. */
const llamaCppFilters: readonly StageName[] = [
  "topNSigma",
  "topK",
  "typicalP",
  "topP",
  "minP",
  "epsilonCutoff",
  "etaCutoff",
  "xtc",
  "temperature",
  "watermark",
];

const llamaCppLast: readonly StageName[] = ["repetitionPenalty", "frequencyPenalty", "dry", "own"];

/** Stages that look at the shape of a distribution alone and leave some token of it. */
export const shapeStages: ReadonlySet<string> = new Set(
  llamaCppFilters.filter((name) => name !== "xtc" && name !== "watermark"),
);

/** Orders by name. */
export const stageOrders: Readonly<Record<"huggingface" | "llama.cpp", readonly StageName[]>> = {
  huggingface: huggingFace,
  "llama.cpp": [
    ...huggingFace.filter((name) => !llamaCppFilters.includes(name) && !llamaCppLast.includes(name)),
    ...llamaCppLast,
    ...llamaCppFilters,
  ],
};

/** A processor of one's own. */
export interface OwnProcessor {
  /** What a report calls it. */
  readonly name: string;
  /** The stage that it comes just before, or just after. Default: before the temperature, among the last processors. */
  readonly before?: StageName;
  readonly after?: StageName;
  /**
   * Changes the scores in place, or returns others; −∞ removes a token.
   * @param scores - [vocabSize], −∞ for tokens that are removed already
   */
  process(scores: Float32Array, place: Place): Float32Array | undefined | Promise<Float32Array | undefined>;
}

/** One step of the pipeline. */
export type Stage =
  | { readonly name: string; readonly kind: "built-in"; readonly apply: Processor }
  | { readonly name: string; readonly kind: "own"; readonly process: OwnProcessor["process"] };

/** Everything that chooses among tokens. */
export interface ChoiceOptions {
  readonly sampling?: SamplingOptions;
  readonly penalties?: PenaltyOptions;
  readonly tokens?: TokenOptions;
  /** Your own processors; those at one place run in this order. */
  readonly processors?: readonly OwnProcessor[];
}

/** What stages need to know of the model. */
export interface ChoiceModel {
  readonly vocabSize: number;
  /** Ids that end a completion. */
  readonly endIds: readonly number[];
  /** Ids that are never chosen. */
  readonly bannedIds: readonly number[];
  /** What runs the model once more, before and after all other stages. */
  readonly guides?: { readonly first: readonly OwnProcessor[]; readonly last: readonly OwnProcessor[] };
}

/** An explicit order lacks a stage for which an option was given. */
export class MissingStageError extends HithertoError {
  readonly code = "MISSING_STAGE";

  constructor(readonly stage: string) {
    super(`sampling.order does not say where ${JSON.stringify(stage)} comes, but an option asks for it`);
  }
}

/** The stages that `options` ask for, in order. @throws what the processors and filters throw, MissingStageError */
export function createStages(options: ChoiceOptions, model: ChoiceModel): Stage[] {
  const order = orderOf(options.sampling?.order ?? "huggingface");
  const made = new Map<StageName, Processor>();
  for (const [name, make] of Object.entries(makers(options, model)) as [StageName, (() => Processor) | undefined][]) {
    if (make !== undefined) made.set(name, make());
  }
  for (const name of made.keys()) if (!order.includes(name)) throw new MissingStageError(name);
  const stages: Stage[] = [];
  if (model.bannedIds.length > 0) {
    const apply = suppressTokensProcessor(model.bannedIds, model.vocabSize, "bannedIds");
    stages.push({ name: "banned", kind: "built-in", apply });
  }
  const own = options.processors ?? [];
  for (const each of own) checkOwn(each, order);
  const add = (each: OwnProcessor) =>
    stages.push({ name: each.name, kind: "own", process: (scores, where) => each.process(scores, where) });
  const place = (at: (each: OwnProcessor) => boolean) => own.filter(at).forEach(add);
  model.guides?.first.forEach(add);
  for (const name of order) {
    place((each) => each.before === name);
    const apply = made.get(name);
    if (apply !== undefined) stages.push({ name, kind: "built-in", apply });
    if (name === "own") place((each) => each.before === undefined && each.after === undefined);
    place((each) => each.after === name);
  }
  model.guides?.last.forEach(add);
  return stages;
}

/** What makes each stage, where an option asks for it. */
function makers(
  { sampling = {}, penalties = {}, tokens = {} }: ChoiceOptions,
  { vocabSize, endIds }: ChoiceModel,
): Partial<Record<StageName, (() => Processor) | false>> {
  const biases = (words: readonly SequenceBias[], name: string) => () => sequenceBiasProcessor(words, vocabSize, name);
  const { frequencyPenalty = 0, presencePenalty = 0, lastN } = penalties;
  return withoutUnasked({
    logitBias: tokens.logitBias && biases(singleBiases(tokens.logitBias), "tokens.logitBias"),
    sequenceBias: tokens.sequenceBias && biases(tokens.sequenceBias, "tokens.sequenceBias"),
    badWords:
      tokens.badWords &&
      biases(
        tokens.badWords.map((ids) => ({ ids, bias: false })),
        "tokens.badWords",
      ),
    repetitionPenalty: given(penalties.repetitionPenalty, (penalty) => repetitionPenaltyProcessor(penalty, lastN)),
    frequencyPenalty:
      frequencyPenalty !== 0 || presencePenalty !== 0
        ? () => frequencyPenaltyProcessor(frequencyPenalty, presencePenalty, lastN)
        : undefined,
    dry: given(penalties.dry, dryProcessor),
    noRepeatNgramSize: given(penalties.noRepeatNgramSize, noRepeatNgramProcessor),
    minLength: given(tokens.minLength, (length) => minLengthProcessor(length, endIds)),
    minNewTokens: given(tokens.minNewTokens, (count) => minNewTokensProcessor(count, endIds)),
    allowedTokens: given(tokens.allowedTokens, (ids) => allowedTokensProcessor(ids, vocabSize)),
    prefixAllowedTokens: given(tokens.prefixAllowedTokens, prefixAllowedTokensProcessor),
    forcedTokens: given(tokens.forcedTokens, (forced) => forcedTokensProcessor(forced, vocabSize)),
    lengthDecay: given(tokens.lengthDecay, (decay) => lengthDecayProcessor(decay, endIds)),
    suppressTokens: given(tokens.suppressTokens, (ids) =>
      suppressTokensProcessor(ids, vocabSize, "tokens.suppressTokens"),
    ),
    beginSuppressTokens: given(tokens.beginSuppressTokens, (ids) => beginSuppressTokensProcessor(ids, vocabSize)),
    watermark: given(tokens.watermark, watermarkProcessor),
    temperature: temperatureMaker(sampling),
    topK: given(sampling.topK, topKFilter),
    topP: given(sampling.topP, topPFilter),
    minP: given(sampling.minP, minPFilter),
    typicalP: given(sampling.typicalP, typicalPFilter),
    epsilonCutoff: given(sampling.epsilonCutoff, epsilonCutoffFilter),
    etaCutoff: given(sampling.etaCutoff, etaCutoffFilter),
    topNSigma: given(sampling.topNSigma, topNSigmaFilter),
    xtc: given(sampling.xtc, (xtc) => {
      rejectUnknownOptions(xtc, ["probability", "threshold"], "sampling.xtc");
      return xtcProcessor(xtc.probability, xtc.threshold);
    }),
  });
}

function given<T>(value: T | undefined, make: (value: T) => Processor): (() => Processor) | undefined {
  return value === undefined ? undefined : () => make(value);
}

function withoutUnasked<T extends object>(made: T): T {
  return Object.fromEntries(Object.entries(made).filter(([, make]) => make !== undefined)) as T;
}

function temperatureMaker({ temperature = 1, dynamicTemperature }: SamplingOptions): (() => Processor) | undefined {
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    throw new OutOfRangeError("temperature", "0 or above", temperature);
  }
  if (dynamicTemperature !== undefined) {
    rejectUnknownOptions(dynamicTemperature, ["range", "exponent"], "sampling.dynamicTemperature");
    const { range, exponent = 1 } = dynamicTemperature;
    return () => dynamicTemperatureFilter(temperature, range, exponent);
  }
  return temperature === 1 || temperature === 0 ? undefined : () => temperatureFilter(temperature);
}

function singleBiases(biases: Readonly<Record<number, number | false>>): SequenceBias[] {
  return Object.entries(biases).map(([id, bias]) => ({ ids: [Number(id)], bias }));
}

function orderOf(order: "huggingface" | "llama.cpp" | readonly StageName[]): readonly StageName[] {
  if (typeof order === "string") {
    if (!Object.hasOwn(stageOrders, order)) {
      throw new InvalidValueError(
        "sampling.order",
        `${Object.keys(stageOrders).join(", ")}, or a list of stages`,
        order,
      );
    }
    return stageOrders[order];
  }
  for (const [i, name] of order.entries()) {
    if (!huggingFace.includes(name) || order.indexOf(name) !== i) {
      throw new InvalidValueError("sampling.order", `each stage once, of ${huggingFace.join(", ")}`, name);
    }
  }
  return order;
}

function checkOwn(own: OwnProcessor, order: readonly StageName[]): void {
  rejectUnknownOptions(own, ["name", "before", "after", "process"], "processors");
  if (typeof own.process !== "function") throw new InvalidValueError("processors.process", "a function", own.process);
  const place = own.before ?? own.after ?? "own";
  if (own.before !== undefined && own.after !== undefined) {
    throw new InvalidValueError("processors.after", "absent where `before` is given", own.after);
  }
  if (!order.includes(place)) throw new MissingStageError(place);
}
