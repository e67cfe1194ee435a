import { withDefaults } from "../family.js";
import { rotaryConfig } from "../rotary.js";
import { headDimOf, llamaLike, llamaRecipes, windowByLayer } from "./llama-like.js";
/** What the classes of `transformers` take where a configuration leaves a key out, as nested ones do. */
const defaults = {
    head_dim: 256,
    hidden_activation: "gelu_pytorch_tanh",
    sliding_window: 4096,
    tie_word_embeddings: true,
};
const gemma2Defaults = { ...defaults, attn_logit_softcapping: 50, final_logit_softcapping: 30 };
function shared({ config }) {
    return {
        residual: "sandwich",
        embeddingScale: Math.sqrt(config.size("hidden_size")),
        activationKey: config.has("hidden_activation") ? "hidden_activation" : "hidden_act",
        attentionBias: config.flag("attention_bias", false),
        outputBias: config.flag("attention_bias", false),
        scale: 1 / Math.sqrt(config.number("query_pre_attn_scalar", 256)),
        attentionSoftCap: config.has("attn_logit_softcapping") ? config.number("attn_logit_softcapping") : 0,
        finalSoftCap: config.has("final_logit_softcapping") ? config.number("final_logit_softcapping") : 0,
    };
}
function recipes(config, input) {
    const all = llamaRecipes(config, {
        "attention.postNorm": "post_attention_layernorm",
        "feedForward.norm": "pre_feedforward_layernorm",
        "feedForward.postNorm": "post_feedforward_layernorm",
    });
    if (!input.dialect.normsLessOne)
        return all;
    const isNorm = (name) => /(^|\.)(norm|postNorm|queryNorm|keyNorm)\.weight$/.test(name);
    return new Map([...all].map(([name, recipe]) => [name, isNorm(name) ? { ...recipe, plus: 1 } : recipe]));
}
export const gemma2 = {
    name: "gemma2",
    architectures: ["Gemma2ForCausalLM"],
    configure(published) {
        const input = withDefaults(published, gemma2Defaults);
        return llamaLike("gemma2", input, { ...shared(input), window: windowByLayer(input, (i) => i % 2 === 0) });
    },
    recipes: (config, input) => recipes(config, input),
};
export const gemma3 = {
    name: "gemma3",
    architectures: ["Gemma3ForCausalLM"],
    configure(published) {
        const input = withDefaults(published, defaults);
        const { config } = input;
        const pattern = config.size("sliding_window_pattern", 6);
        const window = windowByLayer(input, (layer) => (layer + 1) % pattern !== 0);
        return llamaLike("gemma3", input, {
            ...shared(input),
            queryKeyNorm: true,
            window,
            rotaries: gemma3Rotaries(input),
            rotary: (layer) => (window(layer) > 0 ? 1 : 0),
        });
    },
    recipes: (config, input) => recipes(config, input),
};
/** Global layers first, then local ones. */
function gemma3Rotaries(input) {
    const { config, contextLength } = input;
    const trainedLength = config.size("max_position_embeddings", 131072);
    const setting = { rotaryDim: headDimOf(input), trainedLength, contextLength: contextLength ?? trainedLength };
    const byType = config.group("rope_parameters");
    const theta = (group, key, fallback) => group?.has("rope_theta") ? group.number("rope_theta") : config.number(key, fallback);
    const full = byType?.group("full_attention");
    const local = byType?.group("sliding_attention");
    return [
        rotaryConfig({ ...setting, theta: theta(full, "rope_theta", 1e6), scaling: full ?? config.group("rope_scaling") }),
        rotaryConfig({ ...setting, theta: theta(local, "rope_local_base_freq", 10000), scaling: local }),
    ];
}
