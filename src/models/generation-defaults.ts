/** How the makers of a checkpoint want text drawn from it: what `generation_config.json` says about choosing tokens. */
import type { ConfigReader } from "./config-reader.js";

/** Options of `generate` and `session`; absent where the file says nothing, or what changes nothing. */
export interface GenerationDefaults {
  /** Absent: the likeliest token is taken each time. */
  readonly sampling?: Readonly<Partial<Record<SamplingName, number>>>;
  readonly penalties?: Readonly<Partial<Record<PenaltyName, number>>>;
}

type SamplingName = "temperature" | "topK" | "topP" | "minP" | "typicalP" | "epsilonCutoff" | "etaCutoff";
type PenaltyName = "repetitionPenalty" | "noRepeatNgramSize";

/** Hugging Face's key, ours, and the value that means "not at all". */
const samplingKeys: readonly (readonly [string, SamplingName, number | undefined])[] = [
  ["temperature", "temperature", undefined],
  ["top_k", "topK", 0],
  ["top_p", "topP", 1],
  ["min_p", "minP", 0],
  ["typical_p", "typicalP", 1],
  ["epsilon_cutoff", "epsilonCutoff", 0],
  ["eta_cutoff", "etaCutoff", 0],
];

const penaltyKeys: readonly (readonly [string, PenaltyName, number])[] = [
  ["repetition_penalty", "repetitionPenalty", 1],
  ["no_repeat_ngram_size", "noRepeatNgramSize", 0],
];

/**
 * Of the filters only those that the file names are taken, not Hugging Face's own defaults for the others.
 * @throws FormatError for a value that is no number, or below 0
 */
export function generationDefaults(config: ConfigReader): GenerationDefaults {
  const penalties = numbersOf(config, penaltyKeys);
  const sampling = config.flag("do_sample", false) ? { temperature: 1, ...numbersOf(config, samplingKeys) } : undefined;
  return {
    ...(sampling === undefined || sampling.temperature === 0 ? {} : { sampling }),
    ...(Object.keys(penalties).length === 0 ? {} : { penalties }),
  };
}

function numbersOf<Name extends string>(
  config: ConfigReader,
  keys: readonly (readonly [string, Name, number | undefined])[],
): Partial<Record<Name, number>> {
  const values: Partial<Record<Name, number>> = {};
  for (const [key, name, neutral] of keys) {
    if (!config.has(key)) continue;
    const value = config.magnitude(key);
    if (value !== neutral) values[name] = value;
  }
  return values;
}
