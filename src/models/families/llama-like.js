/**
 * What Llama, Mistral, Qwen, Gemma and Phi-3 have in common: RMS norms, rotary positions, grouped-query attention,
 * a gated feed-forward, and Hugging Face's names for all of it. Each family adds its own differences.
 */
import { UnsupportedError } from "../../core/errors.js";
import { rotaryConfig } from "../rotary.js";
import { publishedActivations } from "./activations.js";
/** Reads a configuration with Llama's keys. */
export function llamaLike(family, input, departures = {}) {
    const { config, dialect } = input;
    const hiddenSize = config.size("hidden_size");
    const headCount = config.size("num_attention_heads");
    const keyValueHeadCount = config.size("num_key_value_heads", headCount);
    config.require(headCount % keyValueHeadCount === 0, "num_key_value_heads", `must divide num_attention_heads (${headCount})`);
    const headDim = headDimOf(input);
    const rotaryDim = departures.rotaryDim ?? headDim;
    config.require(rotaryDim % 2 === 0, "head_dim", "must be even, since positions turn pairs of elements");
    const { attentionBias = false } = departures;
    const layer = (index) => ({
        scale: departures.scale ?? 1 / Math.sqrt(headDim),
        window: departures.window?.(index) ?? 0,
        rotary: departures.rotary?.(index) ?? 0,
    });
    const decoder = {
        hiddenSize,
        norm: { kind: "rms", eps: config.magnitude("rms_norm_eps", 1e-6) },
        residual: departures.residual ?? "pre",
        attention: {
            headCount,
            keyValueHeadCount,
            headDim,
            softCap: departures.attentionSoftCap ?? 0,
            bias: { query: attentionBias, key: attentionBias, value: attentionBias, output: departures.outputBias ?? false },
            queryKeyNorm: departures.queryKeyNorm ?? false,
        },
        feedForward: {
            kind: "gated",
            activation: config.choice(departures.activationKey ?? "hidden_act", publishedActivations, "silu"),
            intermediateSize: config.size("intermediate_size"),
            bias: departures.feedForwardBias ?? false,
        },
        position: {
            kind: "rotary",
            layout: dialect.interleavedRotary ? "interleaved" : "half",
            rotaryDim,
            tables: departures.rotaries ?? [defaultRotary(input, rotaryDim)],
        },
        layers: Array.from({ length: config.size("num_hidden_layers") }, (_, index) => layer(index)),
        causal: true,
        crossAttention: false,
        embedding: { scale: departures.embeddingScale ?? 1, norm: false },
        finalNorm: true,
    };
    return {
        kind: "decoder-only",
        family,
        vocabSize: config.size("vocab_size"),
        contextLength: config.size("max_position_embeddings", 2048),
        decoder,
        head: {
            tied: departures.tied ?? config.flag("tie_word_embeddings", false),
            bias: false,
            scale: 1,
            softCap: departures.finalSoftCap ?? 0,
        },
        ...specialIds(input),
    };
}
/** Elements per head: stated, or the even share. */
export function headDimOf({ config }) {
    if (config.has("head_dim"))
        return config.size("head_dim");
    const [hiddenSize, headCount] = [config.size("hidden_size"), config.size("num_attention_heads")];
    config.require(hiddenSize % headCount === 0, "num_attention_heads", `must divide hidden_size (${hiddenSize})`);
    return hiddenSize / headCount;
}
/** How many elements of a head turn where a configuration states their share of it. */
export function turnedElements({ config }, headDim, share, key) {
    const turned = Math.floor(headDim * share);
    const good = turned >= 2 && turned <= headDim && turned % 2 === 0;
    config.require(good, key, `must turn an even number of a head's ${headDim} elements, not ${turned}`);
    return turned;
}
/** The one rotation of most families; `rope_parameters` (newer) or `rope_theta` with `rope_scaling`. */
export function defaultRotary({ config, contextLength }, rotaryDim, theta) {
    const scaling = config.group("rope_parameters") ?? config.group("rope_scaling");
    const trainedLength = config.size("max_position_embeddings", 2048);
    return rotaryConfig({
        theta: theta ?? (scaling?.has("rope_theta") ? scaling.number("rope_theta") : config.number("rope_theta", 10000)),
        rotaryDim,
        scaling,
        trainedLength,
        originalLength: config.has("original_max_position_embeddings")
            ? config.size("original_max_position_embeddings")
            : undefined,
        contextLength: contextLength ?? trainedLength,
    });
}
export function specialIds({ config }) {
    return {
        beginId: config.tokenId("bos_token_id"),
        endIds: config.tokenIds("eos_token_id"),
        padId: config.tokenId("pad_token_id"),
    };
}
/** Window by `layer_types` where the configuration lists them, else by the family's own rule. */
export function windowByLayer({ config }, otherwise) {
    const types = config.texts("layer_types");
    if (types !== undefined)
        checkLayerTypes(config, types);
    if (!config.has("sliding_window"))
        return () => 0;
    const window = config.size("sliding_window");
    return (layer) => ((types === undefined ? otherwise(layer) : types[layer] === "sliding_attention") ? window : 0);
}
const layerTypes = ["full_attention", "sliding_attention"];
function checkLayerTypes(config, types) {
    const layers = config.size("num_hidden_layers");
    config.require(types.length === layers, "layer_types", `must name ${layers} layers, not ${types.length}`);
    const other = types.find((type) => !layerTypes.includes(type));
    if (other !== undefined)
        throw new UnsupportedError(`${config.source}: layer_types`, other, layerTypes);
}
/** Hugging Face's names for a block's parameters, by ours. */
const blockNames = {
    "attention.norm": "input_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.output": "self_attn.o_proj",
    "attention.queryNorm": "self_attn.q_norm",
    "attention.keyNorm": "self_attn.k_norm",
    "feedForward.norm": "post_attention_layernorm",
    "feedForward.gate": "mlp.gate_proj",
    "feedForward.up": "mlp.up_proj",
    "feedForward.down": "mlp.down_proj",
};
/** Recipes with Llama's names; `names` replaces some of the block's. */
export function llamaRecipes(config, names = {}) {
    const recipes = new Map();
    const put = (ours, theirs) => {
        for (const kind of ["weight", "bias"]) {
            recipes.set(`${ours}.${kind}`, { tensor: [`${theirs}.${kind}`, `${theirs.replace(/^model\./, "")}.${kind}`] });
        }
    };
    put("embedding", "model.embed_tokens");
    put("norm", "model.norm");
    put("head", "lm_head");
    for (const index of config.decoder.layers.keys()) {
        for (const [ours, theirs] of Object.entries({ ...blockNames, ...names })) {
            put(`blocks.${index}.${ours}`, `model.layers.${index}.${theirs}`);
        }
    }
    return recipes;
}
