/**
 * From logits to a token: the filters in their order, then the draw.
 *
 * The order is Hugging Face's: temperature, top-k, top-p, min-p. Without any option the choice is greedy.
 */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { CounterRandom, freshSeed } from "../../core/random.js";
import { Candidates, type Filter } from "./candidates.js";
import { minPFilter } from "./min-p.js";
import { temperatureFilter } from "./temperature.js";
import { topKFilter } from "./top-k.js";
import { topPFilter } from "./top-p.js";

export interface SamplingOptions {
  /** Scores are divided by this; 0 chooses the likeliest token always. Default 1 where any other option is given, else 0. */
  readonly temperature?: number;
  /** Keep the k likeliest tokens. Default: all. */
  readonly topK?: number;
  /** Keep the likeliest tokens that make up this probability, in (0, 1]. Default 1: all. */
  readonly topP?: number;
  /** Keep tokens at least this many times as likely as the likeliest, in [0, 1]. Default 0: all. */
  readonly minP?: number;
  /** The same seed draws the same tokens. A safe integer; default: a fresh one, see `Session.seed`. */
  readonly seed?: number;
}

/** Chooses tokens. Holds no state between draws: the position decides which random number is used. */
export interface Sampler {
  readonly seed: number;
  /** Whether the choice is always the likeliest token, of equally likely ones the one with the lowest id. */
  readonly greedy: boolean;
  /** @param logits - [vocabSize], not changed. @param position - of the token that is being chosen. */
  choose(logits: Float32Array, position: number): number;
}

/**
 * @param inheritedSeed - the seed where `options` names none: unlike a seed that was named, no reason to draw
 * @throws UnknownOptionError, OutOfRangeError, InvalidValueError
 */
export function createSampler(options: SamplingOptions, vocabSize: number, inheritedSeed?: number): Sampler {
  rejectUnknownOptions(options, ["temperature", "topK", "topP", "minP", "seed"], "sampling");
  const seed = options.seed ?? inheritedSeed ?? freshSeed();
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidValueError("sampling.seed", "a whole number from 0 on", seed);
  const filters = createFilters(options);
  const drawn = options.topK !== undefined || options.topP !== undefined || options.minP !== undefined;
  const temperature = options.temperature ?? (drawn || options.seed !== undefined ? 1 : 0);
  if (temperature === 0) return { seed, greedy: true, choose: argmax };
  const random = new CounterRandom(seed);
  const candidates = new Candidates(vocabSize);
  const choose = (logits: Float32Array, position: number): number => {
    candidates.reset(logits);
    for (const filter of filters) filter(candidates);
    return draw(candidates, random.uniform(position));
  };
  return { seed, greedy: false, choose };
}

function createFilters({ temperature = 1, topK, topP, minP }: SamplingOptions): Filter[] {
  if (!(temperature >= 0 && Number.isFinite(temperature)))
    throw new OutOfRangeError("temperature", "0 or above", temperature);
  const filters: Filter[] = [];
  if (temperature !== 1 && temperature !== 0) filters.push(temperatureFilter(temperature));
  if (topK !== undefined) filters.push(topKFilter(topK));
  if (topP !== undefined) filters.push(topPFilter(topP));
  if (minP !== undefined) filters.push(minPFilter(minP));
  return filters;
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
