/**
 * Llama 1 to 3 and what follows its layout: TinyLlama, SmolLM, Mistral.
 * Touvron et al., 2023 (arXiv:2302.13971); Jiang et al., 2023 (arXiv:2310.06825).
 */
import type { DecoderOnlyConfig } from "../config.js";
import { type Family, withDefaults } from "../family.js";
import { llamaLike, llamaRecipes, windowByLayer } from "./llama-like.js";

export const llama: Family = {
  name: "llama",
  architectures: ["LlamaForCausalLM", "LLaMAForCausalLM", "SmolLMForCausalLM"],
  configure(input) {
    const attentionBias = input.config.flag("attention_bias", false);
    const feedForwardBias = input.config.flag("mlp_bias", false);
    return llamaLike("llama", input, { attentionBias, outputBias: attentionBias, feedForwardBias });
  },
  recipes: (config) => llamaRecipes(config as DecoderOnlyConfig),
};

export const mistral: Family = {
  name: "mistral",
  architectures: ["MistralForCausalLM"],
  configure(published) {
    const input = withDefaults(published, { sliding_window: 4096 });
    return llamaLike("mistral", input, { window: windowByLayer(input, () => true) });
  },
  recipes: (config) => llamaRecipes(config as DecoderOnlyConfig),
};
