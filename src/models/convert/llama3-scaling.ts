/** Finds the parameters of Llama 3's rotary scaling again in the divisors that GGUF stores. */
import { ConfigReader } from "../config-reader.js";
import { rotaryConfig } from "../rotary.js";

/** Context lengths that a model may have been trained for before it was stretched. */
const originalLengths = Array.from({ length: 16 }, (_, i) => 2 ** (5 + i));

/**
 * @param divisors - one per frequency
 * @returns `rope_scaling` for a Hugging Face configuration; undefined when no parameters give these divisors
 */
export function llama3Scaling(divisors: readonly number[], config: ConfigReader): Record<string, unknown> | undefined {
  const factor = Math.max(...divisors);
  const setting = {
    theta: config.number("rope_theta", 10000),
    rotaryDim: 2 * divisors.length,
    trainedLength: config.size("max_position_embeddings"),
    contextLength: config.size("max_position_embeddings"),
  };
  const plain = rotaryConfig(setting).frequencies;
  for (const original of originalLengths) {
    const scaling = {
      rope_type: "llama3",
      factor,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: original,
    };
    const scaled = rotaryConfig({ ...setting, scaling: new ConfigReader(scaling) }).frequencies;
    const same = divisors.every((divisor, i) => Math.abs(plain[i]! / scaled[i]! / divisor - 1) < 1e-5);
    if (same) return scaling;
  }
  return undefined;
}
