/**
 * Names of tensors: GGUF's and Hugging Face's for the same thing, architecture by architecture, for reading and for
 * writing. GGUF's are those of llama.cpp (`gguf-py/gguf/constants.py`).
 */
const llamaLike = {
    base: "model.",
    model: { token_embd: "model.embed_tokens", output_norm: "model.norm", output: "lm_head" },
    layers: "layers",
    block: {
        attn_norm: "input_layernorm",
        attn_q: "self_attn.q_proj",
        attn_k: "self_attn.k_proj",
        attn_v: "self_attn.v_proj",
        attn_output: "self_attn.o_proj",
        ffn_norm: "post_attention_layernorm",
        ffn_gate: "mlp.gate_proj",
        ffn_up: "mlp.up_proj",
        ffn_down: "mlp.down_proj",
    },
};
const headNorms = { attn_q_norm: "self_attn.q_norm", attn_k_norm: "self_attn.k_norm" };
const gemma = {
    post_attention_norm: "post_attention_layernorm",
    ffn_norm: "pre_feedforward_layernorm",
    post_ffw_norm: "post_feedforward_layernorm",
};
/** Llama's names with some of a block's replaced or added. */
function like(block) {
    return { ...llamaLike, block: { ...llamaLike.block, ...block } };
}
const phi3 = {
    ...llamaLike,
    block: {
        attn_norm: "input_layernorm",
        attn_qkv: "self_attn.qkv_proj",
        attn_output: "self_attn.o_proj",
        ffn_norm: "post_attention_layernorm",
        // Gate and up in one, in both formats.
        ffn_up: "mlp.gate_up_proj",
        ffn_down: "mlp.down_proj",
    },
};
const gpt2 = {
    base: "transformer.",
    model: {
        token_embd: "transformer.wte",
        position_embd: "transformer.wpe",
        output_norm: "transformer.ln_f",
        output: "lm_head",
    },
    layers: "h",
    block: {
        attn_norm: "ln_1",
        attn_qkv: "attn.c_attn",
        attn_output: "attn.c_proj",
        ffn_norm: "ln_2",
        ffn_up: "mlp.c_fc",
        ffn_down: "mlp.c_proj",
    },
};
const gptNeoX = {
    base: "gpt_neox.",
    model: { token_embd: "gpt_neox.embed_in", output_norm: "gpt_neox.final_layer_norm", output: "embed_out" },
    layers: "layers",
    block: {
        attn_norm: "input_layernorm",
        attn_qkv: "attention.query_key_value",
        attn_output: "attention.dense",
        ffn_norm: "post_attention_layernorm",
        ffn_up: "mlp.dense_h_to_4h",
        ffn_down: "mlp.dense_4h_to_h",
    },
};
const tables = {
    llama: llamaLike,
    qwen2: llamaLike,
    qwen3: like(headNorms),
    gemma2: like(gemma),
    gemma3: like({ ...headNorms, ...gemma }),
    phi3,
    gpt2,
    gptneox: gptNeoX,
};
export const ggufArchitectures = Object.keys(tables);
/** The Hugging Face name of a tensor in a GGUF file; undefined when this architecture has no such tensor. */
export function toHuggingFaceName(architecture, name) {
    const names = tables[architecture];
    const [, block, stem, kind] = /^(?:blk\.(\d+)\.)?(\w+)\.(weight|bias)$/.exec(name) ?? [];
    if (stem === undefined)
        return undefined;
    const theirs = own(block === undefined ? names.model : names.block, stem);
    if (theirs === undefined)
        return undefined;
    return block === undefined ? `${theirs}.${kind}` : `${names.base}${names.layers}.${block}.${theirs}.${kind}`;
}
/**
 * The GGUF name of a tensor in a Hugging Face checkpoint, whose names may lack the model's prefix; undefined when
 * the architecture has no place for it.
 */
export function toGgufName(architecture, name) {
    const names = tables[architecture];
    const [, stem, kind] = /^(.+)\.(weight|bias)$/.exec(name) ?? [];
    if (stem === undefined)
        return undefined;
    for (const full of [stem, names.base + stem]) {
        const model = keyOf(names.model, full);
        if (model !== undefined)
            return `${model}.${kind}`;
        const [, block, rest] = new RegExp(`^${names.base.replace(".", "\\.")}${names.layers}\\.(\\d+)\\.(.+)$`).exec(full) ?? [];
        const ours = rest === undefined ? undefined : keyOf(names.block, rest);
        if (ours !== undefined)
            return `blk.${block}.${ours}.${kind}`;
    }
    return undefined;
}
/** Whether a Hugging Face checkpoint carries this tensor for no use: masks and tables that are computed. */
export function isComputedBuffer(name) {
    return /(^|\.)(attn\.bias|attn\.masked_bias|attention\.bias|attention\.masked_bias|rotary_emb\.inv_freq)$/.test(name);
}
function own(table, key) {
    return Object.hasOwn(table, key) ? table[key] : undefined;
}
function keyOf(table, value) {
    return Object.keys(table).find((key) => table[key] === value);
}
