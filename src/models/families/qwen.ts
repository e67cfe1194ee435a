/**
 * Qwen 2 (biases on query, key and value) and Qwen 3 (normalised queries and keys).
 * Yang et al., 2024 (arXiv:2407.10671); 2025 (arXiv:2505.09388).
 */
import type { DecoderOnlyConfig } from "../config.js";
import { type Family, type FamilyInput, withDefaults } from "../family.js";
import { llamaLike, llamaRecipes, windowByLayer } from "./llama-like.js";

/** Layers from `max_window_layers` on slide, and only where `use_sliding_window` says so. */
function window(input: FamilyInput): (layer: number) => number {
  if (!input.config.flag("use_sliding_window", false)) return () => 0;
  const firstSliding = input.config.number("max_window_layers", 28);
  return windowByLayer(withDefaults(input, { sliding_window: 4096 }), (layer) => layer >= firstSliding);
}

export const qwen2: Family = {
  name: "qwen2",
  architectures: ["Qwen2ForCausalLM"],
  configure: (input) => llamaLike("qwen2", input, { attentionBias: true, window: window(input) }),
  recipes: (config) => llamaRecipes(config as DecoderOnlyConfig),
};

export const qwen3: Family = {
  name: "qwen3",
  architectures: ["Qwen3ForCausalLM"],
  configure(input) {
    const bias = input.config.flag("attention_bias", false);
    return llamaLike("qwen3", input, {
      attentionBias: bias,
      outputBias: bias,
      queryKeyNorm: true,
      window: window(input),
    });
  },
  recipes: (config) => llamaRecipes(config as DecoderOnlyConfig),
};
