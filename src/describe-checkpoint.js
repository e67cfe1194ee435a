import { HithertoError } from "./core/errors.js";
import { interpret } from "./models/checkpoint.js";
import { decoderGraph } from "./models/decoder-graph.js";
import { inspectableNames } from "./models/network.js";
/** Describes also what this package cannot run: `problem` then says why not. */
export function describeCheckpoint(checkpoint) {
    const { interpretation, problem } = tryToInterpret(checkpoint);
    return {
        ...describeTensors(checkpoint.path, checkpoint.format, checkpoint.tensors.values(), problem),
        architecture: architectureOf(checkpoint),
        family: interpretation?.family.name,
        kind: interpretation?.config.kind,
        sizes: interpretation && sizesOf(interpretation.config),
        tokenizer: checkpoint.tokenizer && describeTokenizer(checkpoint.tokenizer, interpretation?.config),
    };
}
/** What can be said of tensors without a model around them. @param problem - why there is none */
export function describeTensors(path, format, stored, problem) {
    const tensors = [...stored];
    return {
        path,
        format,
        problem,
        parameters: tensors.filter(isParameter).reduce((sum, tensor) => sum + elements(tensor), 0),
        bytes: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
        storage: storageTotals(tensors),
        tensors: tensors.map(({ name, shape, storage, byteLength }) => ({ name, shape, storage, bytes: byteLength })),
    };
}
/** Names that `model.inspect` takes, from the model's graph; its weights are not needed. @throws as `interpret` does */
export function resultNamesOf(checkpoint) {
    const { config } = interpret(checkpoint);
    const one = { tokens: 1, outputs: 1, sequences: 1, contextLength: 1, blocks: 1, crossBlocks: 1 };
    return inspectableNames(decoderGraph(config, one, 1));
}
function tryToInterpret(checkpoint) {
    try {
        return { interpretation: interpret(checkpoint) };
    }
    catch (error) {
        if (error instanceof HithertoError)
            return { problem: error.message };
        throw error;
    }
}
function architectureOf({ config }) {
    const named = config.values.architectures;
    const architecture = Array.isArray(named) ? named[0] : config.values.model_type;
    return typeof architecture === "string" ? architecture : undefined;
}
function sizesOf(config) {
    const { decoder } = config;
    return {
        vocabSize: config.vocabSize,
        contextLength: config.contextLength,
        hiddenSize: decoder.hiddenSize,
        intermediateSize: decoder.feedForward.intermediateSize,
        layerCount: decoder.layers.length,
        ...(config.kind === "encoder-decoder" && { encoderLayerCount: config.encoder.layers.length }),
        headCount: decoder.attention.headCount,
        keyValueHeadCount: decoder.attention.keyValueHeadCount,
        headDim: decoder.attention.headDim,
        tiedHead: config.head.tied,
    };
}
function elements({ shape }) {
    return shape.reduce((product, extent) => product * extent, 1);
}
/** Masks and position indices that some checkpoints carry are no parameters. */
function isParameter({ storage }) {
    return !["i64", "i32", "i16", "i8", "u8", "bool"].includes(storage);
}
function storageTotals(tensors) {
    const totals = new Map();
    for (const { storage: type, byteLength } of tensors) {
        const { tensors: count = 0, bytes = 0 } = totals.get(type) ?? {};
        totals.set(type, { type, tensors: count + 1, bytes: bytes + byteLength });
    }
    return [...totals.values()].sort((a, b) => b.bytes - a.bytes);
}
function describeTokenizer(loaded, config) {
    const { tokenizer, source, chatTemplate } = loaded;
    const ends = [...new Set([...(config?.endIds ?? []), ...tokenizer.endIds])];
    const roles = [
        { role: "begin", ids: tokenizer.beginId === undefined ? [] : [tokenizer.beginId] },
        { role: "end", ids: ends },
        { role: "pad", ids: tokenizer.padId === undefined ? [] : [tokenizer.padId] },
        { role: "unknown", ids: tokenizer.unknownId === undefined ? [] : [tokenizer.unknownId] },
    ];
    const known = (id) => id >= 0 && id < tokenizer.vocabSize;
    const special = roles.flatMap(({ role, ids }) => ids.map((id) => ({ role, id, token: known(id) ? tokenizer.tokenText(id) : "" })));
    return { source, vocabSize: tokenizer.vocabSize, special, chatTemplate: chatTemplate !== undefined };
}
