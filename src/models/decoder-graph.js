/**
 * The program that every token goes through: ids in, logits out, keys and values into the cache.
 *
 * One graph serves prefill, decode, batches and verification: they differ in live sizes and places only.
 */
import { Graph } from "../graph/graph.js";
import { linear } from "../graph/operations/linear.js";
import { logSumExp } from "../graph/operations/log-sum-exp.js";
import { scale } from "../graph/operations/scale.js";
import { selectRows } from "../graph/operations/select-rows.js";
import { softCap } from "../graph/operations/soft-cap.js";
import { cacheBlockElements, cacheBlockSize } from "../nn/attention-layer.js";
import { stack } from "../nn/stack.js";
/** Blocks that hold `positions` positions. */
export function blocksFor(positions) {
    return Math.ceil(positions / cacheBlockSize);
}
/** @param weightsWidth - also compute attention matrices of this many keys; 0: do not. */
export function decoderGraph(config, capacity, weightsWidth = 0) {
    const graph = new Graph();
    const tokens = graph.dimension("tokens", capacity.tokens);
    const outputs = graph.dimension("outputs", capacity.outputs);
    const ids = graph.input("ids", [tokens], "i32");
    const positions = graph.input("positions", [tokens], "i32");
    const tables = (name, length) => graph.input(name, [capacity.sequences, blocksFor(length)], "i32");
    const places = {
        blockTables: tables("blockTables", capacity.contextLength),
        sequences: graph.input("sequences", [tokens], "i32"),
        visible: graph.input("visible", [tokens], "i32"),
        slots: graph.input("slots", [tokens], "i32"),
    };
    const outputRows = graph.input("outputRows", [outputs], "i32");
    const { decoder } = config;
    const prefix = config.kind === "decoder-only" ? "" : "decoder.";
    const cross = config.kind === "decoder-only"
        ? undefined
        : {
            cache: layerCaches(graph, "crossCache", decoder, capacity.crossBlocks),
            places: {
                blockTables: tables("crossTables", capacity.contextLength),
                sequences: places.sequences,
                visible: graph.input("crossVisible", [tokens], "i32"),
            },
        };
    const embedding = graph.parameter(`${prefix}embedding.weight`, [config.vocabSize, decoder.hiddenSize]);
    const states = stack({
        ids,
        embedding,
        context: { graph, stack: decoder, positions, places, contextLength: capacity.contextLength, weightsWidth, prefix },
        cache: layerCaches(graph, "cache", decoder, capacity.blocks),
        cross,
    });
    const logits = graph.name("logits", head(graph, config, embedding, selectRows(states, outputRows)));
    const normaliser = graph.name("logSumExp", logSumExp(logits));
    return { graph, ids, positions, places, cross: cross?.places, outputRows, logits, logSumExp: normaliser };
}
/** One pair of states per layer: `cache.N.keys` and `cache.N.values`. */
export function layerCaches(graph, name, config, blocks) {
    const shape = [blocks, cacheBlockElements(config.attention)];
    return config.layers.map((_, index) => ({
        keys: graph.state(`${name}.${index}.keys`, shape),
        values: graph.state(`${name}.${index}.values`, shape),
    }));
}
/** From states [outputs, hiddenSize] to logits [outputs, vocabSize]. */
function head(graph, { head: config, vocabSize, decoder }, embedding, states) {
    const weight = config.tied ? embedding : graph.parameter("head.weight", [vocabSize, decoder.hiddenSize]);
    const scaled = config.scale === 1 ? states : scale(states, config.scale);
    const logits = linear(scaled, weight, config.bias ? graph.parameter("head.bias", [vocabSize]) : undefined);
    return config.softCap > 0 ? softCap(logits, config.softCap) : logits;
}
