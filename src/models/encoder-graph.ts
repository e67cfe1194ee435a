/**
 * The program that reads a source: runs the encoder over it and leaves, for every layer of the decoder, the keys and
 * values of its output in the cross-attention cache, where all tokens and all beams of the decoder find them.
 */
import { Graph } from "../graph/graph.js";
import { plainCache } from "../graph/operations/cache-codecs.js";
import type { Tensor } from "../graph/tensor.js";
import { type CachePlaces, crossProjections, layerCache, writeCache } from "../nn/attention-layer.js";
import { besideMaps } from "../nn/low-rank.js";
import { stack } from "../nn/stack.js";
import type { EncoderDecoderConfig } from "./config.js";
import { blocksFor, type Capacity, layerCaches } from "./decoder-graph.js";

export interface EncoderGraph {
  readonly graph: Graph;
  readonly ids: Tensor;
  readonly positions: Tensor;
  readonly places: CachePlaces & { readonly slots: Tensor };
  /** i32 [tokens]: where each token's keys and values go in the cross-attention cache. */
  readonly crossSlots: Tensor;
  /** [tokens, hiddenSize] */
  readonly output: Tensor;
  /** What a run must compute: the output and every layer's cross-attention cache. */
  readonly results: readonly Tensor[];
}

/** A source is read whole, since each of its tokens sees all others: `capacity.tokens` is its greatest length. */
export function encoderGraph(config: EncoderDecoderConfig, capacity: Capacity): EncoderGraph {
  const graph = new Graph();
  if (config.lowRank !== undefined) graph.beside = besideMaps(graph, config.lowRank);
  const { encoder, decoder } = config;
  const tokens = graph.dimension("tokens", capacity.tokens);
  const ids = graph.input("ids", [tokens], "i32");
  const positions = graph.input("positions", [tokens], "i32");
  const places = {
    blockTables: graph.input("blockTables", [1, blocksFor(capacity.tokens)], "i32"),
    sequences: graph.input("sequences", [tokens], "i32"),
    visible: graph.input("visible", [tokens], "i32"),
    slots: graph.input("slots", [tokens], "i32"),
  };
  const crossSlots = graph.input("crossSlots", [tokens], "i32");
  // One layer's keys and values are read before the next layer's are written, so all layers share this memory.
  const scratch = layerCache(graph, "encoderCache", encoder.attention, blocksFor(capacity.tokens), plainCache);
  const table = config.sharedEmbedding ? "decoder.embedding.weight" : "encoder.embedding.weight";
  const output = stack({
    ids,
    embedding: graph.parameter(table, [config.sourceVocabSize, encoder.hiddenSize]),
    context: {
      graph,
      stack: encoder,
      positions,
      keyValues: { kind: "cached", places, layers: encoder.layers.map(() => scratch), weightsWidth: 0 },
      contextLength: capacity.contextLength,
      prefix: "encoder.",
    },
  });
  const crossCaches = layerCaches(graph, "crossCache", decoder, capacity.crossBlocks, capacity.codecs);
  const written = crossCaches.flatMap((cache, index) => {
    const { key, value } = crossProjections({ graph, stack: decoder }, `decoder.blocks.${index}.cross`, output);
    const caches = writeCache(graph, decoder.attention, cache, key, value, crossSlots, `cross.${index}.`);
    return [caches.keys, caches.values];
  });
  return { graph, ids, positions, places, crossSlots, output, results: [output, ...written] };
}
