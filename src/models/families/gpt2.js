import { publishedActivations } from "./activations.js";
import { specialIds } from "./llama-like.js";
export const gpt2 = {
    name: "gpt2",
    architectures: ["GPT2LMHeadModel", "GPT2Model"],
    configure: (input) => ({
        kind: "decoder-only",
        family: "gpt2",
        vocabSize: input.config.size("vocab_size"),
        contextLength: input.config.size("n_positions", 1024),
        decoder: decoder(input),
        head: { tied: input.config.flag("tie_word_embeddings", true), bias: false, scale: 1, softCap: 0 },
        ...specialIds(input),
    }),
    recipes,
};
function decoder({ config }) {
    const hiddenSize = config.size("n_embd");
    const headCount = config.size("n_head");
    config.require(hiddenSize % headCount === 0, "n_head", `must divide n_embd (${hiddenSize})`);
    const headDim = hiddenSize / headCount;
    const scaled = config.flag("scale_attn_weights", true);
    const byLayer = config.flag("scale_attn_by_inverse_layer_idx", false);
    const scale = (layer) => (scaled ? 1 / Math.sqrt(headDim) : 1) / (byLayer ? layer + 1 : 1);
    return {
        hiddenSize,
        norm: { kind: "layer", eps: config.magnitude("layer_norm_epsilon", 1e-5), bias: true },
        residual: "pre",
        attention: {
            headCount,
            keyValueHeadCount: headCount,
            headDim,
            softCap: 0,
            bias: { query: true, key: true, value: true, output: true },
            queryKeyNorm: false,
        },
        feedForward: {
            kind: "plain",
            activation: config.choice("activation_function", publishedActivations, "gelu_new"),
            intermediateSize: config.has("n_inner") ? config.size("n_inner") : 4 * hiddenSize,
            bias: true,
        },
        position: { kind: "learned" },
        layers: Array.from({ length: config.size("n_layer") }, (_, i) => ({ scale: scale(i), window: 0, rotary: 0 })),
        causal: true,
        crossAttention: false,
        embedding: { scale: 1, norm: false },
        finalNorm: true,
    };
}
function recipes(config, { dialect: { transposed } }) {
    const all = new Map();
    const { hiddenSize, layers } = config.decoder;
    const named = (tensor) => [`transformer.${tensor}`, tensor];
    const put = (ours, theirs, matrix = false) => {
        all.set(`${ours}.weight`, { tensor: named(`${theirs}.weight`), transposed: matrix && transposed });
        all.set(`${ours}.bias`, { tensor: named(`${theirs}.bias`) });
    };
    all.set("embedding.weight", { tensor: named("wte.weight") });
    all.set("positions.weight", { tensor: named("wpe.weight"), partial: true });
    all.set("head.weight", { tensor: "lm_head.weight" });
    put("norm", "ln_f");
    for (const index of layers.keys()) {
        const [ours, theirs] = [`blocks.${index}`, `h.${index}`];
        put(`${ours}.attention.norm`, `${theirs}.ln_1`);
        for (const [i, part] of ["query", "key", "value"].entries()) {
            const rows = (row) => i * hiddenSize + row;
            all.set(`${ours}.attention.${part}.weight`, { tensor: named(`${theirs}.attn.c_attn.weight`), transposed, rows });
            all.set(`${ours}.attention.${part}.bias`, { tensor: named(`${theirs}.attn.c_attn.bias`), rows });
        }
        put(`${ours}.attention.output`, `${theirs}.attn.c_proj`, true);
        put(`${ours}.feedForward.norm`, `${theirs}.ln_2`);
        put(`${ours}.feedForward.up`, `${theirs}.mlp.c_fc`, true);
        put(`${ours}.feedForward.down`, `${theirs}.mlp.c_proj`, true);
    }
    return all;
}
