/** How a token is chosen from the distribution. */
import type { MirostatOptions } from "./mirostat.js";
import type { StageName } from "./stages.js";

export interface SamplingOptions {
  /** Scores are divided by this; 0 chooses the likeliest token always. Default 1 where any other option is given, else 0. */
  readonly temperature?: number;
  /** Temperature within ±range, by how unsure the model is: (H / H_max)^exponent, exponent 1 unless given. */
  readonly dynamicTemperature?: { readonly range: number; readonly exponent?: number };
  /** Keep the k likeliest tokens. Default: all. */
  readonly topK?: number;
  /** Keep the likeliest tokens that make up this probability, in (0, 1]. Default 1: all. */
  readonly topP?: number;
  /** Keep tokens at least this many times as likely as the likeliest, in [0, 1]. Default 0: all. */
  readonly minP?: number;
  /** Keep the tokens whose surprise is nearest to the entropy, up to this probability, in (0, 1]. Default 1: all. */
  readonly typicalP?: number;
  /** Keep p ≥ ε, in (0, 1). Default: all. */
  readonly epsilonCutoff?: number;
  /** Keep p ≥ min(ε, √ε · e^−H), in (0, 1). Default: all. */
  readonly etaCutoff?: number;
  /** Keep scores within n standard deviations of the largest. Default: all. */
  readonly topNSigma?: number;
  /** With this probability, of the tokens with p ≥ threshold remove all but the least likely. Default: never. */
  readonly xtc?: { readonly probability: number; readonly threshold: number };
  /** Keep the surprise of the drawn tokens near a target. Default: not. */
  readonly mirostat?: MirostatOptions;
  /** Which stage comes when: that of a known program, or the stages by name. Default "huggingface". */
  readonly order?: "huggingface" | "llama.cpp" | readonly StageName[];
  /** The same seed draws the same tokens. A safe integer; default: a fresh one, see `Session.seed`. */
  readonly seed?: number;
}

/** Options that are stages of their own, in Hugging Face's order; what it does not have stands where it fits. */
export const filterNames = [
  "temperature",
  "topK",
  "topP",
  "minP",
  "typicalP",
  "epsilonCutoff",
  "etaCutoff",
  "topNSigma",
  "xtc",
] as const;

/** Names of `SamplingOptions`. */
export const samplingOptionNames = [...filterNames, "dynamicTemperature", "mirostat", "order", "seed"];
