import { sinusoidalRows } from "../../nn/positions.js";
import { publishedActivations } from "./activations.js";
import { biasedStack, putBoth } from "./encoder-decoder-parts.js";
import { specialIds } from "./llama-like.js";
/** BART's position tables begin with two rows that are never used. */
const bartPositionOffset = 2;
export const bart = {
    name: "bart",
    architectures: ["BartForConditionalGeneration", "BartModel"],
    configure: (input) => configure("bart", input),
    recipes(config) {
        const all = commonRecipes(config);
        for (const part of ["encoder", "decoder"]) {
            const tensor = `model.${part}.embed_positions.weight`;
            all.set(`${part}.positions.weight`, { tensor, rows: (row) => row + bartPositionOffset });
            putBoth(all, `${part}.embedding.norm`, `model.${part}.layernorm_embedding`);
        }
        return withoutPrefix(all);
    },
};
export const marian = {
    name: "marian",
    architectures: ["MarianMTModel", "MarianModel"],
    configure: (input) => configure("marian", input),
    recipes(config) {
        const all = commonRecipes(config);
        for (const [part, stack] of [
            ["encoder", config.encoder],
            ["decoder", config.decoder],
        ]) {
            const { position, hiddenSize } = stack;
            if (position.kind !== "sinusoidal")
                continue;
            const computed = (first, count) => sinusoidalRows(position, hiddenSize, first, count);
            all.set(`${part}.positions.weight`, { tensor: [], computed });
        }
        return withoutPrefix(all);
    },
};
function configure(family, input) {
    const { config } = input;
    const shared = config.flag("share_encoder_decoder_embeddings", true);
    const vocabSize = config.size(shared ? "vocab_size" : "decoder_vocab_size", config.size("vocab_size"));
    const stacks = { encoder: stack(family, "encoder", input), decoder: stack(family, "decoder", input) };
    return {
        kind: "encoder-decoder",
        family,
        vocabSize,
        sourceVocabSize: config.size("vocab_size"),
        sharedEmbedding: shared,
        contextLength: config.size("max_position_embeddings", 1024),
        ...stacks,
        // Base models (`facebook/bart-base`) are published without their head's bias, which is zero.
        head: {
            tied: config.flag("tie_word_embeddings", true),
            bias: input.has("final_logits_bias"),
            scale: 1,
            softCap: 0,
        },
        decoderStartId: config.tokenId("decoder_start_token_id") ?? config.tokenId("eos_token_id") ?? 2,
        ...specialIds(input),
    };
}
function stack(family, part, { config }) {
    const hiddenSize = config.size("d_model");
    const headCount = config.size(`${part}_attention_heads`);
    config.require(hiddenSize % headCount === 0, `${part}_attention_heads`, `must divide d_model (${hiddenSize})`);
    return biasedStack(part, {
        hiddenSize,
        headCount,
        layerCount: config.size(`${part}_layers`),
        intermediateSize: config.size(`${part}_ffn_dim`),
        activation: config.choice("activation_function", publishedActivations, "gelu"),
        position: family === "bart" ? { kind: "learned" } : { kind: "sinusoidal", start: 0, steps: hiddenSize / 2 },
        residual: "post",
        embedding: { scale: config.flag("scale_embedding", false) ? Math.sqrt(hiddenSize) : 1, norm: family === "bart" },
        finalNorm: false,
        eps: 1e-5,
    });
}
/** Base models are published without the `model.` before every name. */
function withoutPrefix(recipes) {
    const both = (names) => (typeof names === "string" ? [names] : names).flatMap((name) => [name, name.replace(/^model\./, "")]);
    return new Map([...recipes].map(([ours, recipe]) => [ours, { ...recipe, tensor: both(recipe.tensor) }]));
}
function commonRecipes(config) {
    const all = new Map();
    const table = (part) => [`model.${part}.embed_tokens.weight`, "model.shared.weight"];
    const decoderTable = config.sharedEmbedding
        ? ["model.shared.weight", ...table("decoder"), ...table("encoder")]
        : table("decoder");
    all.set("decoder.embedding.weight", { tensor: decoderTable });
    all.set("encoder.embedding.weight", { tensor: table("encoder") });
    all.set("head.weight", { tensor: "lm_head.weight" });
    all.set("head.bias", { tensor: "final_logits_bias" });
    for (const [part, stack] of [
        ["encoder", config.encoder],
        ["decoder", config.decoder],
    ]) {
        for (const index of stack.layers.keys())
            putBlock(all, part, index, stack);
    }
    return all;
}
function putBlock(all, part, index, stack) {
    const [ours, theirs] = [`${part}.blocks.${index}`, `model.${part}.layers.${index}`];
    const attention = (name, kind) => {
        putBoth(all, `${ours}.${name}.norm`, `${theirs}.${kind}_layer_norm`);
        for (const [each, short] of [
            ["query", "q"],
            ["key", "k"],
            ["value", "v"],
            ["output", "out"],
        ]) {
            putBoth(all, `${ours}.${name}.${each}`, `${theirs}.${kind}.${short}_proj`);
        }
    };
    attention("attention", "self_attn");
    if (stack.crossAttention)
        attention("cross", "encoder_attn");
    putBoth(all, `${ours}.feedForward.norm`, `${theirs}.final_layer_norm`);
    putBoth(all, `${ours}.feedForward.up`, `${theirs}.fc1`);
    putBoth(all, `${ours}.feedForward.down`, `${theirs}.fc2`);
}
