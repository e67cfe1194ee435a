/** What a family file provides: a configuration parser and a map from parameters to stored tensors. */

import type { ModelConfig } from "./config.js";
import type { ConfigReader } from "./config-reader.js";
import type { Recipes } from "./weights.js";

/** How one and the same family is laid out by different formats. */
export interface Dialect {
  /** Queries and keys are stored for rotation of adjacent pairs (llama2.c; Llama in GGUF). */
  readonly interleavedRotary: boolean;
  /** Gemma's norm weights are stored less one (Hugging Face). */
  readonly normsLessOne: boolean;
  /** GPT-2's matrices are stored [in, out] (Hugging Face). */
  readonly transposed: boolean;
  /** GPT-NeoX's fused query-key-value rows go head by head (Hugging Face), not part by part. */
  readonly fusedByHead: boolean;
}

export const huggingFaceDialect: Dialect = {
  interleavedRotary: false,
  normsLessOne: true,
  transposed: true,
  fusedByHead: true,
};

export interface FamilyInput {
  readonly config: ConfigReader;
  readonly dialect: Dialect;
  /** The context length to load for; absent: what the model was made for. */
  readonly contextLength?: number;
  /** Whether the checkpoint has a tensor of this name. */
  has(tensor: string): boolean;
}

/** The same input, where keys that a family's published classes have defaults for are never absent. */
export function withDefaults(input: FamilyInput, defaults: Readonly<Record<string, unknown>>): FamilyInput {
  return { ...input, config: input.config.withDefaults(defaults) };
}

export interface Family {
  readonly name: string;
  /** Entries of `architectures` in config.json that this family reads. */
  readonly architectures: readonly string[];
  /** @throws FormatError, UnsupportedError for a configuration that this family does not follow. */
  configure(input: FamilyInput): ModelConfig;
  recipes(config: ModelConfig, input: FamilyInput): Recipes;
}
