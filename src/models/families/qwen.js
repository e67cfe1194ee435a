import { withDefaults } from "../family.js";
import { llamaLike, llamaRecipes, windowByLayer } from "./llama-like.js";
/** Layers from `max_window_layers` on slide, and only where `use_sliding_window` says so. */
function window(input) {
    if (!input.config.flag("use_sliding_window", false))
        return () => 0;
    const firstSliding = input.config.number("max_window_layers", 28);
    return windowByLayer(withDefaults(input, { sliding_window: 4096 }), (layer) => layer >= firstSliding);
}
export const qwen2 = {
    name: "qwen2",
    architectures: ["Qwen2ForCausalLM"],
    configure: (input) => llamaLike("qwen2", input, { attentionBias: true, window: window(input) }),
    recipes: (config) => llamaRecipes(config),
};
export const qwen3 = {
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
    recipes: (config) => llamaRecipes(config),
};
