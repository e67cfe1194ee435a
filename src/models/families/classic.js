import { sinusoidalRows } from "../../nn/positions.js";
import { biasedStack } from "./encoder-decoder-parts.js";
import { specialIds } from "./llama-like.js";
export const classic = {
    name: "classic",
    architectures: ["TransformerBase", "TransformerBig"],
    configure(input) {
        const { config } = input;
        return {
            kind: "encoder-decoder",
            family: "classic",
            vocabSize: config.size("target_vocab_size"),
            sourceVocabSize: config.size("source_vocab_size"),
            sharedEmbedding: false,
            contextLength: config.size("max_position_embeddings", 512),
            encoder: stack("encoder", input),
            decoder: stack("decoder", input),
            head: { tied: false, bias: true, scale: 1, softCap: 0 },
            decoderStartId: config.tokenId("decoder_start_token_id") ?? 1,
            ...specialIds(input),
        };
    },
    recipes(config) {
        const all = new Map();
        const { encoder, decoder } = config;
        for (const kind of ["weight", "bias"])
            all.set(`head.${kind}`, { tensor: `decoder/projection/${kind}` });
        for (const [part, stack] of [
            ["encoder", encoder],
            ["decoder", decoder],
        ]) {
            const { position, hiddenSize } = stack;
            all.set(`${part}.embedding.weight`, { tensor: `${part}/embeddings/weight` });
            if (position.kind === "sinusoidal") {
                const computed = (first, count) => sinusoidalRows(position, hiddenSize, first, count);
                all.set(`${part}.positions.weight`, { tensor: [], computed });
            }
            putNorm(all, `${part}.norm`, `${part}/layer_norm`);
            for (const index of stack.layers.keys())
                putBlock(all, part, index, stack);
        }
        return all;
    },
};
function stack(part, { config }) {
    const hiddenSize = config.size("hidden_size");
    const headCount = config.size("num_attention_heads");
    config.require(hiddenSize % headCount === 0, "num_attention_heads", `must divide hidden_size (${hiddenSize})`);
    return biasedStack(part, {
        hiddenSize,
        headCount,
        layerCount: config.size(`${part}_layers`),
        intermediateSize: config.size("intermediate_size"),
        activation: "relu",
        position: { kind: "sinusoidal", start: 1, steps: hiddenSize / 2 - 1 },
        residual: "pre",
        embedding: { scale: Math.sqrt(hiddenSize), norm: false },
        finalNorm: true,
        eps: 1e-5,
    });
}
function putNorm(all, ours, theirs) {
    all.set(`${ours}.weight`, { tensor: `${theirs}/gamma` });
    all.set(`${ours}.bias`, { tensor: `${theirs}/beta` });
}
function putBlock(all, part, index, stack) {
    const { hiddenSize } = stack;
    const [ours, theirs] = [`${part}.blocks.${index}`, `${part}/layer_${index}`];
    /** Parts `names` of a fused projection, in order. */
    const fused = (place, linear, names) => {
        for (const [i, name] of names.entries()) {
            const rows = (row) => i * hiddenSize + row;
            for (const kind of ["weight", "bias"])
                all.set(`${place}.${name}.${kind}`, { tensor: `${linear}/${kind}`, rows });
        }
    };
    putNorm(all, `${ours}.attention.norm`, `${theirs}/self_attention/layer_norm`);
    fused(`${ours}.attention`, `${theirs}/self_attention/linear_0`, ["query", "key", "value"]);
    fused(`${ours}.attention`, `${theirs}/self_attention/linear_1`, ["output"]);
    if (stack.crossAttention) {
        putNorm(all, `${ours}.cross.norm`, `${theirs}/attention/layer_norm`);
        fused(`${ours}.cross`, `${theirs}/attention/linear_0`, ["query"]);
        fused(`${ours}.cross`, `${theirs}/attention/linear_1`, ["key", "value"]);
        fused(`${ours}.cross`, `${theirs}/attention/linear_2`, ["output"]);
    }
    putNorm(all, `${ours}.feedForward.norm`, `${theirs}/ffn/layer_norm`);
    fused(`${ours}.feedForward`, `${theirs}/ffn/linear_0`, ["up"]);
    fused(`${ours}.feedForward`, `${theirs}/ffn/linear_1`, ["down"]);
}
