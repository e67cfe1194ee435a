/**
 * From logits to a token: processors and filters in their order, then the draw.
 *
 * The order is Hugging Face's unless another is asked for. Without any option the choice is greedy.
 */
import { InvalidValueError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { CounterRandom, freshSeed } from "../../core/random.js";
import { penaltyOptionNames, tokenOptionNames } from "../processors/options.js";
import { acceptOrRedraw, type DrawnProposal, distributionOf } from "../speculation/acceptance.js";
import type { Candidates, Place } from "./candidates.js";
import { Mirostat } from "./mirostat.js";
import { type SamplingOptions, samplingOptionNames } from "./options.js";
import { Pipeline, type StageReport } from "./pipeline.js";
import { type ChoiceModel, type ChoiceOptions, createStages, shapeStages } from "./stages.js";

export type { SamplingOptions } from "./options.js";

/** What stands before the token that is being chosen. */
export interface Text extends Pick<Place, "ids" | "promptLength"> {
  /** A token that a draft drew for the place: it stays, or another is drawn for it, so that the distribution is kept. */
  readonly drawn?: DrawnProposal;
}

/** Streams of random numbers: whether a draft's token is accepted, and a draft's own draws. */
export const acceptanceStream = 0x5eed1;
export const draftStream = 0x5eed2;

const nothing: Text = { ids: [], promptLength: 0 };

/** Chooses tokens. The position decides which random number is used; only mirostat remembers what it drew before. */
export interface Sampler {
  readonly seed: number;
  /** Whether the choice is always the likeliest token, of equally likely ones the one with the lowest id. */
  readonly greedy: boolean;
  /** Whether somebody's own processor may have to be waited for: then `chooseWaiting` must be used. */
  readonly mayWait: boolean;
  /**
   * @param logits - [vocabSize], not changed
   * @param position - of the token that is being chosen
   * @param reports - what each stage did is added to it
   * @throws NoTokenLeftError
   */
  choose(logits: Float32Array, position: number, text?: Text, reports?: StageReport[]): number;
  chooseWaiting(logits: Float32Array, position: number, text: Text, reports?: StageReport[]): Promise<number>;
  /** Takes over what another sampler remembers. */
  inherit(other: Pick<Sampler, "limits">): void;
  /** Forgets what was drawn from `position` on. */
  forget(position: number): void;
  /** Mirostat's limit by position. */
  readonly limits: ReadonlyMap<number, number>;
}

/**
 * @param model - of a number alone: a vocabulary of that size, without ends
 * @param inheritedSeed - the seed where `options` names none: unlike a seed that was named, no reason to draw
 * @throws UnknownOptionError, OutOfRangeError, InvalidValueError, MissingStageError
 */
export function createSampler(
  options: SamplingOptions,
  model: ChoiceModel | number,
  inheritedSeed?: number,
  others: Omit<ChoiceOptions, "sampling"> = {},
): Sampler {
  const { seed: named, pipeline } = choiceOf({ ...others, sampling: options }, aboutModel(model));
  const seed = options.seed ?? inheritedSeed ?? freshSeed();
  return named === undefined ? new GreedySampler(seed, pipeline) : new DrawingSampler(seed, pipeline, options);
}

function aboutModel(model: ChoiceModel | number): ChoiceModel {
  return typeof model === "number" ? { vocabSize: model, endIds: [], bannedIds: [] } : model;
}

/**
 * What the options ask for: the stages, and the seed of what is drawn.
 * @returns without a seed where the likeliest is taken
 * @throws UnknownOptionError, OutOfRangeError, InvalidValueError, MissingStageError
 */
export function choiceOf(options: ChoiceOptions, model: ChoiceModel): { pipeline: Pipeline; seed?: number } {
  const { sampling = {}, penalties = {}, tokens = {} } = options;
  rejectUnknownOptions(sampling, samplingOptionNames, "sampling");
  rejectUnknownOptions(penalties, penaltyOptionNames, "penalties");
  rejectUnknownOptions(tokens, tokenOptionNames, "tokens");
  const { seed = freshSeed() } = sampling;
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new InvalidValueError("sampling.seed", "a whole number from 0 on", seed);
  }
  const stages = createStages(options, model);
  if ((sampling.temperature ?? (drawsByDefault(sampling) ? 1 : 0)) !== 0) {
    return { seed, pipeline: new Pipeline(stages, model.vocabSize) };
  }
  refuseDrawing(sampling);
  // The filters that are not refused leave the likeliest token where it is, so a greedy choice needs none of them.
  return {
    pipeline: new Pipeline(
      stages.filter(({ name }) => !shapeStages.has(name)),
      model.vocabSize,
    ),
  };
}

function drawsByDefault({ order: _, ...options }: SamplingOptions): boolean {
  return Object.values(options).some((value) => value !== undefined);
}

/** @throws InvalidValueError for what makes no sense where the likeliest token is taken */
function refuseDrawing(options: SamplingOptions): void {
  for (const name of ["xtc", "mirostat", "dynamicTemperature", "typicalP"] as const) {
    if (options[name] !== undefined) {
      throw new InvalidValueError(`sampling.${name}`, "absent where the temperature is 0", options[name]);
    }
  }
}

/** Takes the likeliest of what the processors leave. */
class GreedySampler implements Sampler {
  readonly limits = new Map<number, number>();
  readonly #random: CounterRandom;

  constructor(
    readonly seed: number,
    readonly pipeline: Pipeline,
  ) {
    this.#random = new CounterRandom(seed);
  }

  get greedy(): boolean {
    return this.pipeline.stages.length === 0;
  }

  get mayWait(): boolean {
    return this.pipeline.mayWait;
  }

  choose(logits: Float32Array, position: number, text = nothing, reports?: StageReport[]): number {
    if (this.greedy) return argmax(logits);
    return likeliest(this.pipeline.run(logits, placeOf(this.#random, position, text), reports));
  }

  async chooseWaiting(logits: Float32Array, position: number, text: Text, reports?: StageReport[]): Promise<number> {
    return likeliest(await this.pipeline.runWaiting(logits, placeOf(this.#random, position, text), reports));
  }

  inherit(): void {}

  forget(): void {}
}

class DrawingSampler implements Sampler {
  readonly greedy = false;
  readonly limits = new Map<number, number>();
  readonly #random: CounterRandom;
  readonly #mirostat: Mirostat | undefined;

  constructor(
    readonly seed: number,
    readonly pipeline: Pipeline,
    { mirostat }: SamplingOptions,
  ) {
    this.#random = new CounterRandom(seed);
    if (mirostat !== undefined) {
      rejectUnknownOptions(mirostat, ["version", "tau", "eta"], "sampling.mirostat");
      this.#mirostat = new Mirostat(mirostat);
    }
  }

  get mayWait(): boolean {
    return this.pipeline.mayWait;
  }

  choose(logits: Float32Array, position: number, text = nothing, reports?: StageReport[]): number {
    return this.#draw(this.pipeline.run(logits, placeOf(this.#random, position, text), reports), position, text);
  }

  async chooseWaiting(logits: Float32Array, position: number, text: Text, reports?: StageReport[]): Promise<number> {
    const place = placeOf(this.#random, position, text);
    return this.#draw(await this.pipeline.runWaiting(logits, place, reports), position, text);
  }

  inherit(other: Pick<Sampler, "limits">): void {
    for (const [position, limit] of other.limits) this.limits.set(position, limit);
  }

  forget(position: number): void {
    for (const at of this.limits.keys()) if (at > position) this.limits.delete(at);
  }

  #draw(candidates: Candidates, position: number, { drawn }: Text): number {
    if (this.#mirostat === undefined) return this.#drawOne(candidates, position, drawn);
    const limit = this.#limitAt(position, this.#mirostat.initial);
    this.#mirostat.filter(candidates, limit);
    const token = this.#drawOne(candidates, position, drawn);
    const probability = candidates.probabilities()[candidates.ids.subarray(0, candidates.count).indexOf(token)]!;
    this.limits.set(position, limit);
    this.limits.set(position + 1, this.#mirostat.correct(limit, probability));
    return token;
  }

  #drawOne(candidates: Candidates, position: number, drawn: DrawnProposal | undefined): number {
    const u = this.#random.uniform(position);
    if (drawn === undefined) return draw(candidates, u);
    const accept = new CounterRandom(this.seed, acceptanceStream).uniform(position);
    return acceptOrRedraw(distributionOf(candidates), drawn, accept, u);
  }

  /** The limit after the last draw before `position`: a timeline that is rewound has that of its place again. */
  #limitAt(position: number, initial: number): number {
    const known = this.limits.get(position);
    if (known !== undefined) return known;
    let last = -1;
    for (const at of this.limits.keys()) if (at < position && at > last) last = at;
    return this.limits.get(last) ?? initial;
  }
}

function placeOf(random: CounterRandom, position: number, { ids, promptLength }: Text): Place {
  const uniform = (stream: number) =>
    stream === 0 ? random.uniform(position) : new CounterRandom(random.seed, stream).uniform(position);
  return { ids, promptLength, uniform };
}

/** The id with the largest logit; ties go to the lowest id. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  let largest = logits[0]!;
  for (let id = 1; id < logits.length; id++) {
    if (logits[id]! > largest) {
      largest = logits[id]!;
      best = id;
    }
  }
  return best;
}

function likeliest({ ids, scores, count }: Candidates): number {
  return ids[argmax(scores.subarray(0, count))]!;
}

/** The candidate at quantile `u` of the distribution, in order of id. */
export function draw(candidates: Candidates, u: number): number {
  const probabilities = candidates.probabilities();
  let mass = 0;
  for (let i = 0; i < candidates.count; i++) {
    mass += probabilities[i]!;
    if (u < mass) return candidates.ids[i]!;
  }
  // Rounding may leave the sum a hair below 1: the last candidate with any probability at all.
  for (let i = candidates.count - 1; i > 0; i--) if (probabilities[i]! > 0) return candidates.ids[i]!;
  return candidates.ids[0]!;
}
