import { withDefaults } from "../family.js";
import { llamaLike, llamaRecipes, windowByLayer } from "./llama-like.js";
export const llama = {
    name: "llama",
    architectures: ["LlamaForCausalLM", "LLaMAForCausalLM", "SmolLMForCausalLM"],
    configure(input) {
        const attentionBias = input.config.flag("attention_bias", false);
        const feedForwardBias = input.config.flag("mlp_bias", false);
        return llamaLike("llama", input, { attentionBias, outputBias: attentionBias, feedForwardBias });
    },
    recipes: (config) => llamaRecipes(config),
};
export const mistral = {
    name: "mistral",
    architectures: ["MistralForCausalLM"],
    configure(published) {
        const input = withDefaults(published, { sliding_window: 4096 });
        return llamaLike("mistral", input, { window: windowByLayer(input, () => true) });
    },
    recipes: (config) => llamaRecipes(config),
};
