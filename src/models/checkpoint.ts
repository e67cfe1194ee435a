/**
 * A checkpoint that has been opened: configuration in one spelling, tensors by Hugging Face's names, and the
 * tokenizer, whatever format it came in. Adapters for each format make one; loading and converting consume it.
 */
import type { StoredTensor } from "../core/checkpoint.js";
import { UnsupportedError } from "../core/errors.js";
import type { GgufFile } from "../formats/index.js";
import type { LoadedTokenizer } from "../tokenizers/index.js";
import type { ModelConfig } from "./config.js";
import type { ConfigReader } from "./config-reader.js";
import { familyOf } from "./families/index.js";
import type { Dialect, Family, FamilyInput } from "./family.js";
import type { GenerationDefaults } from "./generation-defaults.js";
import type { Checkpoint, Recipes } from "./weights.js";

export type CheckpointFormat = "hugging-face" | "gguf" | "llama2c" | "ctranslate2";

export interface OpenedCheckpoint extends Checkpoint {
  readonly format: CheckpointFormat;
  /** Hugging Face's keys, also where another format was read. */
  readonly config: ConfigReader;
  readonly dialect: Dialect;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Absent when the checkpoint has none: the model then takes and gives token ids. */
  readonly tokenizer?: LoadedTokenizer;
  /** Encoder-decoder models with a vocabulary per side: the one of the source. */
  readonly sourceTokenizer?: LoadedTokenizer;
  /** End ids that `generation_config.json` or the tokenizer add to the configuration's. */
  readonly endIds?: readonly number[];
  /** Ids that `generation_config.json` forbids to choose. */
  readonly bannedIds?: readonly number[];
  /** What `generation_config.json` says about choosing tokens. */
  readonly generationDefaults?: GenerationDefaults;
  /** The file itself, where a GGUF file was opened: converting takes more of it than a model needs. */
  readonly gguf?: GgufFile;
  /** The files that came with the weights, by name: the tokenizer's and `generation_config.json`. */
  readonly files?: () => Promise<ReadonlyMap<string, Uint8Array>>;
  close(): Promise<void>;
}

/** The family that reads a checkpoint, its configuration, and where every parameter lies. */
export interface Interpretation {
  readonly family: Family;
  readonly config: ModelConfig;
  readonly recipes: Recipes;
}

/** Where configurations state how many blocks there are. */
const layerCountKeys = [
  "num_hidden_layers",
  "n_layer",
  "num_layers",
  "num_decoder_layers",
  "encoder_layers",
  "decoder_layers",
];

/** Every block has tensors of its own, so a claim of more blocks than tensors is refused before anything is made of it. */
function checkLayerCounts({ config, tensors }: OpenedCheckpoint): void {
  for (const key of layerCountKeys) {
    const count = config.values[key];
    if (typeof count !== "number") continue;
    config.require(!(count > tensors.size), key, `${count} is more than the checkpoint's ${tensors.size} tensors`);
  }
}

/** Weights quantized by GPTQ, AWQ, bitsandbytes and the like are not what their names and shapes say. */
function checkQuantization(config: ConfigReader): void {
  const quantization = config.group("quantization_config");
  if (quantization === undefined) return;
  const method = quantization.has("quant_method") ? quantization.text("quant_method") : "(unnamed)";
  throw new UnsupportedError(`${config.source}: quantization_config`, method, ["plain floats", "GGUF files"]);
}

/** Single tokens among the bad words that the configuration names. */
function bannedIds(checkpoint: OpenedCheckpoint, { vocabSize }: ModelConfig): number[] {
  const ids = new Set([...checkpoint.config.singleTokens("bad_words_ids"), ...(checkpoint.bannedIds ?? [])]);
  return [...ids].filter((id) => id < vocabSize);
}

/** @throws UnsupportedError for an unknown architecture, FormatError for a configuration that makes no sense */
export function interpret(checkpoint: OpenedCheckpoint, contextLength?: number): Interpretation {
  const family = familyOf(checkpoint.config);
  checkLayerCounts(checkpoint);
  checkQuantization(checkpoint.config);
  const input: FamilyInput = {
    config: checkpoint.config,
    dialect: checkpoint.dialect,
    contextLength,
    has: (tensor) => checkpoint.tensors.has(tensor),
  };
  const config = family.configure(input);
  const endIds = [...new Set([...config.endIds, ...(checkpoint.endIds ?? [])])];
  return {
    family,
    config: { ...config, endIds, bannedIds: bannedIds(checkpoint, config) },
    recipes: family.recipes(config, input),
  };
}
