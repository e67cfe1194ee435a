import { publishedActivations } from "./activations.js";
import { defaultRotary, headDimOf, specialIds, turnedElements } from "./llama-like.js";
export const gptNeoX = {
    name: "gpt_neox",
    architectures: ["GPTNeoXForCausalLM"],
    configure: (input) => ({
        kind: "decoder-only",
        family: "gpt_neox",
        vocabSize: input.config.size("vocab_size"),
        contextLength: input.config.size("max_position_embeddings", 2048),
        decoder: decoder(input),
        head: { tied: input.config.flag("tie_word_embeddings", false), bias: false, scale: 1, softCap: 0 },
        ...specialIds(input),
    }),
    recipes,
};
function decoder(input) {
    const { config } = input;
    const hiddenSize = config.size("hidden_size");
    const headCount = config.size("num_attention_heads");
    const headDim = headDimOf(input);
    const parameters = config.group("rope_parameters");
    const share = parameters?.has("partial_rotary_factor")
        ? parameters.number("partial_rotary_factor")
        : config.number("rotary_pct", 0.25);
    const rotaryDim = turnedElements(input, headDim, share, "rotary_pct");
    const theta = parameters?.has("rope_theta")
        ? undefined
        : config.number("rotary_emb_base", config.number("rope_theta", 10000));
    const bias = config.flag("attention_bias", true);
    return {
        hiddenSize,
        norm: { kind: "layer", eps: config.magnitude("layer_norm_eps", 1e-5), bias: true },
        residual: config.flag("use_parallel_residual", true) ? "parallel" : "pre",
        attention: {
            headCount,
            keyValueHeadCount: headCount,
            headDim,
            softCap: 0,
            bias: { query: bias, key: bias, value: bias, output: bias },
            queryKeyNorm: false,
        },
        feedForward: {
            kind: "plain",
            activation: config.choice("hidden_act", publishedActivations, "gelu"),
            intermediateSize: config.size("intermediate_size"),
            bias: true,
        },
        position: { kind: "rotary", layout: "half", rotaryDim, tables: [defaultRotary(input, rotaryDim, theta)] },
        layers: Array.from({ length: config.size("num_hidden_layers") }, () => ({
            scale: headDim ** -0.5,
            window: 0,
            rotary: 0,
        })),
        causal: true,
        crossAttention: false,
        embedding: { scale: 1, norm: false },
        finalNorm: true,
    };
}
function recipes(config, { dialect }) {
    const all = new Map();
    const { hiddenSize, attention, layers } = config.decoder;
    const { headDim } = attention;
    const put = (ours, theirs) => {
        for (const kind of ["weight", "bias"])
            all.set(`${ours}.${kind}`, { tensor: `${theirs}.${kind}` });
    };
    put("embedding", "gpt_neox.embed_in");
    put("norm", "gpt_neox.final_layer_norm");
    put("head", "embed_out");
    for (const index of layers.keys()) {
        const [ours, theirs] = [`blocks.${index}`, `gpt_neox.layers.${index}`];
        put(`${ours}.attention.norm`, `${theirs}.input_layernorm`);
        put(`${ours}.feedForward.norm`, `${theirs}.post_attention_layernorm`);
        put(`${ours}.attention.output`, `${theirs}.attention.dense`);
        put(`${ours}.feedForward.up`, `${theirs}.mlp.dense_h_to_4h`);
        put(`${ours}.feedForward.down`, `${theirs}.mlp.dense_4h_to_h`);
        for (const [part, name] of ["query", "key", "value"].entries()) {
            const byHead = (row) => (Math.floor(row / headDim) * 3 + part) * headDim + (row % headDim);
            const rows = dialect.fusedByHead ? byHead : (row) => part * hiddenSize + row;
            for (const kind of ["weight", "bias"]) {
                all.set(`${ours}.attention.${name}.${kind}`, { tensor: `${theirs}.attention.query_key_value.${kind}`, rows });
            }
        }
    }
    return all;
}
