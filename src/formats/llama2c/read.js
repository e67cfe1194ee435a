import { FormatError, TruncatedFileError } from "../../core/errors.js";
import { SourceTensor } from "../stored-tensor.js";
import { readHead, refuseOtherKinds } from "../wrong-file.js";
import { parseHeader } from "./header.js";
/**
 * Opens a llama2.c checkpoint of version 0 or 1.
 *
 * @param source - owned by the result from now on: its `close` closes it.
 * @throws WrongFileError, TruncatedFileError, FormatError naming the field, UnsupportedError for the int8 version 2.
 */
export async function readLlama2c(source) {
    const head = await readHead(source);
    refuseOtherKinds(source, head, "llama2c", "a llama2.c checkpoint");
    const header = parseHeader(head, source);
    const groups = layout(header);
    checkSize(groups, header, source);
    const tensors = place(groups, header, source);
    const close = () => source.close();
    return { version: header.version, config: header.config, tensors, close, [Symbol.asyncDispose]: close };
}
function layout({ version, config }) {
    const { hiddenSize, intermediateSize, vocabSize, contextLength } = config;
    const headDim = hiddenSize / config.headCount;
    const keyValueSize = headDim * config.keyValueHeadCount;
    const layer = (name, ...shape) => ({
        name: `model.layers.*.${name}.weight`,
        perLayer: true,
        shape,
    });
    const once = (name, ...shape) => ({ name, perLayer: false, shape });
    const embedding = once("model.embed_tokens.weight", vocabSize, hiddenSize);
    const attentionNorm = layer("input_layernorm", hiddenSize);
    const attention = [
        layer("self_attn.q_proj", hiddenSize, hiddenSize),
        layer("self_attn.k_proj", keyValueSize, hiddenSize),
        layer("self_attn.v_proj", keyValueSize, hiddenSize),
        layer("self_attn.o_proj", hiddenSize, hiddenSize),
    ];
    const feedForwardNorm = layer("post_attention_layernorm", hiddenSize);
    const feedForward = [
        layer("mlp.gate_proj", intermediateSize, hiddenSize),
        layer("mlp.down_proj", hiddenSize, intermediateSize),
        layer("mlp.up_proj", intermediateSize, hiddenSize),
    ];
    const norm = once("model.norm.weight", hiddenSize);
    const head = config.tied ? [] : [once("lm_head.weight", vocabSize, hiddenSize)];
    if (version === 1)
        return [attentionNorm, feedForwardNorm, norm, embedding, ...attention, ...feedForward, ...head];
    const rotaryTables = once(undefined, 2, contextLength, headDim / 2);
    return [embedding, attentionNorm, ...attention, feedForwardNorm, ...feedForward, norm, rotaryTables, ...head];
}
function checkSize(groups, { config, dataStart }, source) {
    let needed = dataStart;
    for (const group of groups)
        needed += bytesOf(group) * (group.perLayer ? config.layerCount : 1);
    if (needed > source.size)
        throw new TruncatedFileError("llama2.c", "weights", needed, source.size, source.name);
    if (needed < source.size) {
        const problem = `the header accounts for ${needed} bytes, but the file has ${source.size}; is this a llama2.c file?`;
        throw new FormatError("llama2.c", "file size", problem, source.name);
    }
}
function place(groups, { config, dataStart }, source) {
    const tensors = new Map();
    let at = dataStart;
    for (const group of groups) {
        const bytes = bytesOf(group);
        for (let i = 0; i < (group.perLayer ? config.layerCount : 1); i++) {
            const name = group.name?.replace("*", String(i));
            if (name !== undefined)
                tensors.set(name, new SourceTensor(name, group.shape, "f32", bytes, source, at));
            at += bytes;
        }
    }
    return tensors;
}
function bytesOf({ shape }) {
    return shape.reduce((product, size) => product * size, 4);
}
