import { ConfigReader } from "../config-reader.js";
import { publishedActivations } from "./activations.js";
import { specialIds } from "./llama-like.js";
export const t5 = {
    name: "t5",
    architectures: ["T5ForConditionalGeneration", "T5Model", "MT5ForConditionalGeneration"],
    configure(input) {
        const { config } = input;
        const vocabSize = config.size("vocab_size");
        // Only a tied head is scaled. Later releases always say "tied", and tell a head of its own by not scaling.
        const tied = config.flag("tie_word_embeddings", true) && config.flag("scale_decoder_outputs", true);
        return {
            kind: "encoder-decoder",
            family: "t5",
            vocabSize,
            sourceVocabSize: vocabSize,
            sharedEmbedding: true,
            // Relative positions have no longest sequence; this is what the published models were trained for.
            contextLength: config.size("n_positions", 512),
            encoder: stack("encoder", input),
            decoder: stack("decoder", input),
            head: { tied, bias: false, scale: tied ? config.size("d_model") ** -0.5 : 1, softCap: 0 },
            decoderStartId: config.tokenId("decoder_start_token_id") ?? config.tokenId("pad_token_id") ?? 0,
            ...specialIds(input),
        };
    },
    recipes(config) {
        const all = new Map();
        const put = (ours, tensor) => all.set(`${ours}.weight`, { tensor });
        put("decoder.embedding", ["shared.weight", "decoder.embed_tokens.weight", "encoder.embed_tokens.weight"]);
        put("head", "lm_head.weight");
        for (const part of ["encoder", "decoder"]) {
            put(`${part}.norm`, `${part}.final_layer_norm.weight`);
            put(`${part}.relativeBias`, `${part}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`);
            const stack = part === "encoder" ? config.encoder : config.decoder;
            for (const index of stack.layers.keys())
                putBlock(put, part, index, stack);
        }
        return all;
    },
};
function putBlock(put, part, index, stack) {
    const [ours, theirs] = [`${part}.blocks.${index}`, `${part}.block.${index}.layer`];
    const attention = (name, layer, kind) => {
        put(`${ours}.${name}.norm`, `${layer}.layer_norm.weight`);
        for (const each of ["query", "key", "value", "output"]) {
            put(`${ours}.${name}.${each}`, `${layer}.${kind}.${each[0]}.weight`);
        }
    };
    attention("attention", `${theirs}.0`, "SelfAttention");
    if (stack.crossAttention)
        attention("cross", `${theirs}.1`, "EncDecAttention");
    const last = `${theirs}.${stack.crossAttention ? 2 : 1}`;
    const gated = stack.feedForward.kind === "gated";
    put(`${ours}.feedForward.norm`, `${last}.layer_norm.weight`);
    put(`${ours}.feedForward.gate`, `${last}.DenseReluDense.wi_0.weight`);
    put(`${ours}.feedForward.up`, `${last}.DenseReluDense.${gated ? "wi_1" : "wi"}.weight`);
    put(`${ours}.feedForward.down`, `${last}.DenseReluDense.wo.weight`);
}
function stack(part, { config }) {
    const headCount = config.size("num_heads");
    const layerCount = config.size("num_layers");
    const projection = config.text("feed_forward_proj", "relu");
    const gated = projection.startsWith("gated-");
    const name = projection.replace(/^gated-/, "");
    // "gated-gelu" has always meant the tanh approximation.
    const activation = projection === "gated-gelu" ? "gelu_new" : name;
    const maxDistance = config.size("relative_attention_max_distance", 128);
    config.require(maxDistance <= 65_536, "relative_attention_max_distance", `${maxDistance} is more than 65536`);
    const bias = { query: false, key: false, value: false, output: false };
    return {
        hiddenSize: config.size("d_model"),
        norm: { kind: "rms", eps: config.magnitude("layer_norm_epsilon", 1e-6) },
        residual: "pre",
        attention: {
            headCount,
            keyValueHeadCount: headCount,
            headDim: config.size("d_kv"),
            softCap: 0,
            bias,
            queryKeyNorm: false,
        },
        feedForward: {
            kind: gated ? "gated" : "plain",
            activation: namedActivation(activation, config.source),
            intermediateSize: config.size("d_ff"),
            bias: false,
        },
        position: {
            kind: "relative",
            bucketCount: config.size("relative_attention_num_buckets", 32),
            maxDistance,
            bidirectional: part === "encoder",
        },
        layers: Array.from({ length: part === "encoder" ? layerCount : config.size("num_decoder_layers", layerCount) }, () => ({
            scale: 1,
            window: 0,
            rotary: 0,
        })),
        causal: part === "decoder",
        crossAttention: part === "decoder",
        embedding: { scale: 1, norm: false },
        finalNorm: true,
    };
}
function namedActivation(name, source) {
    return new ConfigReader({ feed_forward_proj: name }, source).choice("feed_forward_proj", publishedActivations);
}
