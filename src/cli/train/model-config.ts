/** What a new model's configuration need not say, since the tokenizer and the batches say it. */
import type { Tokenizer } from "../../tokenizers/index.js";
import { ConfigError } from "../../training/config/kinds.js";
import { given } from "../model-flags.js";

type Json = Readonly<Record<string, unknown>>;

/**
 * The configuration with sizes and special ids filled in.
 * @param values - as in `config.json`; what it says stays
 * @throws ConfigError for a vocabulary that is too small
 */
export function completedModelConfig(
  values: Json,
  { vocabSize, beginId, endIds, padId }: Tokenizer,
  kind: "text" | "pairs",
  contextLength: number,
): Json {
  if (typeof values.vocab_size === "number" && values.vocab_size < vocabSize) {
    throw new ConfigError(
      "model.config.vocab_size",
      `must be at least the tokenizer's ${vocabSize}, got ${values.vocab_size}`,
    );
  }
  const isGpt2 = values.model_type === "gpt2";
  const positions = isGpt2 ? { n_positions: contextLength } : { max_position_embeddings: contextLength };
  const sizes = { vocab_size: vocabSize, ...(kind === "pairs" ? { decoder_vocab_size: vocabSize } : {}) };
  return { ...sizes, ...positions, ...specialIds({ beginId, endIds, padId }, kind), ...values };
}

/** The same ids for `generation_config.json`. */
export function specialIds(
  { beginId, endIds, padId }: Pick<Tokenizer, "beginId" | "endIds" | "padId">,
  kind: "text" | "pairs",
): Json {
  const start = kind === "pairs" ? (padId ?? beginId) : undefined;
  const [endId] = endIds;
  return given({ bos_token_id: beginId, eos_token_id: endId, pad_token_id: padId, decoder_start_token_id: start });
}
