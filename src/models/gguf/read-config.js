/** From the metadata of a GGUF file to a configuration with Hugging Face's keys. Defaults are llama.cpp's. */
import { UnsupportedError } from "../../core/errors.js";
import { longropeAttentionFactor } from "../rotary.js";
/** @throws FormatError naming the key that is missing or makes no sense */
export function configFromGguf(architecture, fields, facts) {
    const values = readers[architecture](fields, facts);
    if (!partlyTurning.has(architecture))
        requireWholeHeads(fields);
    const id = (role) => fields.tokenId(role, facts.vocabSize) ?? null;
    return {
        ...values,
        vocab_size: facts.vocabSize,
        tie_word_embeddings: !facts.has("output.weight"),
        bos_token_id: id("bos"),
        eos_token_id: id("eos"),
        pad_token_id: id("padding"),
    };
}
/** Architectures whose heads turn in part where `rope.dimension_count` says so. */
const partlyTurning = new Set(["phi3", "gptneox", "gpt2"]);
function requireWholeHeads(fields) {
    const headSize = headDim(fields);
    const turned = fields.size("rope.dimension_count", headSize);
    if (turned !== headSize)
        throw fields.error("rope.dimension_count", `${turned} is not a head's ${headSize}`);
}
const readers = {
    llama(fields, facts) {
        const common = llamaLike(fields, facts);
        const window = slidingWindow(fields);
        if (window !== null) {
            return { architectures: ["MistralForCausalLM"], model_type: "mistral", ...common, sliding_window: window };
        }
        return {
            architectures: ["LlamaForCausalLM"],
            model_type: "llama",
            ...common,
            attention_bias: facts.has("blk.0.attn_q.bias"),
            mlp_bias: facts.has("blk.0.ffn_up.bias"),
        };
    },
    qwen2: (fields, facts) => ({
        architectures: ["Qwen2ForCausalLM"],
        model_type: "qwen2",
        ...llamaLike(fields, facts),
        use_sliding_window: false,
    }),
    qwen3: (fields, facts) => ({
        architectures: ["Qwen3ForCausalLM"],
        model_type: "qwen3",
        ...llamaLike(fields, facts),
        attention_bias: facts.has("blk.0.attn_q.bias"),
        use_sliding_window: false,
    }),
    gemma2(fields, facts) {
        const common = gemma(fields, facts, 46);
        return {
            architectures: ["Gemma2ForCausalLM"],
            model_type: "gemma2",
            ...common,
            sliding_window: slidingWindow(fields, 4096),
            layer_types: layerTypes(common.num_hidden_layers, (layer) => layer % 2 === 0),
            attn_logit_softcapping: fields.number("attn_logit_softcapping", 50),
            final_logit_softcapping: fields.number("final_logit_softcapping", 30),
        };
    },
    gemma3(fields, facts) {
        const common = gemma(fields, facts, 62);
        const flags = fields.flags("attention.sliding_window_pattern");
        const period = flags === undefined ? fields.size("attention.sliding_window_pattern", 6) : undefined;
        const slides = (layer) => (flags === undefined ? (layer + 1) % period !== 0 : flags[layer] === true);
        return {
            architectures: ["Gemma3ForCausalLM"],
            model_type: "gemma3_text",
            ...common,
            sliding_window: slidingWindow(fields),
            ...(period === undefined ? {} : { sliding_window_pattern: period }),
            layer_types: layerTypes(common.num_hidden_layers, slides),
            rope_local_base_freq: fields.number("rope.freq_base_swa", 10000),
            final_logit_softcapping: fields.has("final_logit_softcapping") ? fields.number("final_logit_softcapping") : null,
        };
    },
    phi3(fields, facts) {
        const common = llamaLike(fields, facts);
        return {
            architectures: ["Phi3ForCausalLM"],
            model_type: "phi3",
            ...common,
            partial_rotary_factor: rotaryShare(fields, headDim(fields)),
            original_max_position_embeddings: originalLength(fields),
            sliding_window: slidingWindow(fields),
        };
    },
    gpt2: (fields) => ({
        architectures: ["GPT2LMHeadModel"],
        model_type: "gpt2",
        n_embd: fields.size("embedding_length"),
        n_head: fields.size("attention.head_count"),
        n_inner: fields.size("feed_forward_length"),
        n_layer: fields.size("block_count"),
        n_positions: fields.size("context_length"),
        layer_norm_epsilon: fields.number("attention.layer_norm_epsilon"),
        activation_function: "gelu_new",
    }),
    gptneox: (fields, facts) => ({
        architectures: ["GPTNeoXForCausalLM"],
        model_type: "gpt_neox",
        hidden_size: fields.size("embedding_length"),
        intermediate_size: fields.size("feed_forward_length"),
        num_hidden_layers: fields.size("block_count"),
        num_attention_heads: fields.size("attention.head_count"),
        max_position_embeddings: fields.size("context_length"),
        layer_norm_eps: fields.number("attention.layer_norm_epsilon"),
        hidden_act: "gelu",
        attention_bias: facts.has("blk.0.attn_qkv.bias"),
        use_parallel_residual: fields.flag("use_parallel_residual", true),
        rotary_pct: rotaryShare(fields, headDim(fields)),
        rotary_emb_base: fields.number("rope.freq_base", 10000),
        rope_scaling: ropeScaling(fields, facts),
    }),
};
function llamaLike(fields, facts) {
    const headCount = fields.size("attention.head_count");
    return {
        hidden_size: fields.size("embedding_length"),
        intermediate_size: fields.size("feed_forward_length"),
        num_hidden_layers: fields.size("block_count"),
        num_attention_heads: headCount,
        num_key_value_heads: fields.size("attention.head_count_kv", headCount),
        head_dim: headDim(fields),
        max_position_embeddings: fields.size("context_length"),
        rms_norm_eps: fields.number("attention.layer_norm_rms_epsilon"),
        hidden_act: "silu",
        rope_theta: fields.number("rope.freq_base", 10000),
        rope_scaling: ropeScaling(fields, facts),
    };
}
/** @param largestModel - layers of the model whose scores are divided by √(hiddenSize / headCount) */
function gemma(fields, facts, largestModel) {
    const common = llamaLike(fields, facts);
    const byHidden = common.num_hidden_layers === largestModel;
    return {
        ...common,
        hidden_act: "gelu_pytorch_tanh",
        hidden_activation: "gelu_pytorch_tanh",
        query_pre_attn_scalar: byHidden ? common.hidden_size / common.num_attention_heads : common.head_dim,
        attention_bias: facts.has("blk.0.attn_q.bias"),
        attn_logit_softcapping: null,
        final_logit_softcapping: null,
    };
}
function headDim(fields) {
    const [hiddenSize, headCount] = [fields.size("embedding_length"), fields.size("attention.head_count")];
    if (fields.has("attention.key_length")) {
        const keyLength = fields.size("attention.key_length");
        if (fields.size("attention.value_length", keyLength) === keyLength)
            return keyLength;
        throw fields.error("attention.value_length", `must be that of keys, ${keyLength}`);
    }
    if (hiddenSize % headCount === 0)
        return hiddenSize / headCount;
    throw fields.error("attention.head_count", `${headCount} must divide embedding_length, ${hiddenSize}`);
}
/** The part of each head that turns. `floor(headDim · share)` gives the number of elements back. */
function rotaryShare(fields, headSize) {
    const turned = fields.size("rope.dimension_count", headSize);
    if (turned > headSize)
        throw fields.error("rope.dimension_count", `${turned} is more than a head's ${headSize}`);
    const share = turned / headSize;
    return Math.floor(headSize * share) === turned ? share : (turned + 0.5) / headSize;
}
/** Positions that a layer with a window sees; null: no window. */
function slidingWindow(fields, fallback = 0) {
    const window = fields.number("attention.sliding_window", fallback);
    return window === 0 ? null : window;
}
function layerTypes(layers, slides) {
    return Array.from({ length: layers }, (_, layer) => (slides(layer) ? "sliding_attention" : "full_attention"));
}
function originalLength(fields) {
    return fields.size("rope.scaling.original_context_length", fields.size("context_length"));
}
const scalingTypes = ["none", "linear", "yarn", "longrope"];
/** `rope_scaling` as Hugging Face states it; null: none. */
function ropeScaling(fields, facts) {
    const type = fields.text("rope.scaling.type", "none");
    if (!scalingTypes.includes(type))
        throw new UnsupportedError("GGUF rope.scaling.type", type, scalingTypes);
    const factor = fields.number("rope.scaling.factor", fields.number("rope.scale_linear", 1));
    if (facts.longDivisors !== undefined && facts.shortDivisors !== undefined)
        return longrope(fields, facts);
    if (facts.frequencyDivisors !== undefined)
        return { rope_type: "factors", factors: facts.frequencyDivisors };
    if (type === "yarn")
        return yarn(fields, factor);
    return factor === 1 ? null : { rope_type: "linear", factor };
}
function longrope(fields, { longDivisors, shortDivisors }) {
    const original = originalLength(fields);
    const automatic = longropeAttentionFactor(fields.size("context_length") / original, original);
    const stated = fields.number("rope.scaling.attn_factor", 1);
    const departs = Math.abs(stated - automatic) > 1e-6 * automatic;
    return {
        type: "longrope",
        long_factor: longDivisors,
        short_factor: shortDivisors,
        ...(departs ? { attention_factor: stated } : {}),
    };
}
function yarn(fields, factor) {
    const magnitude = fields.number("rope.scaling.attn_factor", 1);
    return {
        rope_type: "yarn",
        factor,
        original_max_position_embeddings: originalLength(fields),
        beta_fast: fields.number("rope.scaling.yarn_beta_fast", 32),
        beta_slow: fields.number("rope.scaling.yarn_beta_slow", 1),
        ...(magnitude === 1 ? {} : { attention_factor: magnitude * (1 + 0.1 * Math.log(factor)) }),
    };
}
