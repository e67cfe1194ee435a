/**
 * The program that every token goes through: ids in, logits out, keys and values into the cache.
 *
 * One graph serves prefill, decode, batches and verification: they differ in live sizes and places only.
 */
import { Graph } from "../graph/graph.js";
import { argmax } from "../graph/operations/argmax.js";
import { type CacheCodecs, plainCache } from "../graph/operations/cache-codecs.js";
import { linear } from "../graph/operations/linear.js";
import { logSumExp } from "../graph/operations/log-sum-exp.js";
import { scale } from "../graph/operations/scale.js";
import { selectRows } from "../graph/operations/select-rows.js";
import { softCap } from "../graph/operations/soft-cap.js";
import type { Tensor } from "../graph/tensor.js";
import { type CachePlaces, cacheBlockSize, type LayerCache, layerCache } from "../nn/attention-layer.js";
import type { StackConfig } from "../nn/config.js";
import { besideMaps } from "../nn/low-rank.js";
import { blockScope, stack } from "../nn/stack.js";
import type { ModelConfig } from "./config.js";

/** Sizes that a program is compiled for. */
export interface Capacity {
  /** Tokens in one run. */
  readonly tokens: number;
  /** Rows of logits in one run. */
  readonly outputs: number;
  /** Sequences in one run. */
  readonly sequences: number;
  /** Positions in one sequence. */
  readonly contextLength: number;
  /** Blocks in the cache. */
  readonly blocks: number;
  /** Blocks in the cache of encoder outputs. */
  readonly crossBlocks: number;
  /** How both caches hold keys and values. Default: as float32. */
  readonly codecs?: CacheCodecs;
}

/** Blocks that hold `positions` positions. */
export function blocksFor(positions: number): number {
  return Math.ceil(positions / cacheBlockSize);
}

export interface DecoderGraph {
  readonly graph: Graph;
  readonly ids: Tensor;
  readonly positions: Tensor;
  readonly places: CachePlaces & { readonly slots: Tensor };
  readonly cross?: CachePlaces;
  readonly outputRows: Tensor;
  /** [outputs, vocabSize] */
  readonly logits: Tensor;
  /** [outputs, 1]: ln Σ exp of each row of logits. */
  readonly logSumExp: Tensor;
  /** [outputs, 1]: the id with the largest logit of each row, as a float. */
  readonly likeliest: Tensor;
}

/**
 * @param weightsWidth - also compute attention matrices of this many keys; 0: do not.
 * @param exits - layers whose states the head reads too, 0 being the embeddings: results `exits.<layer>` [outputs, vocabSize]
 */
export function decoderGraph(
  config: ModelConfig,
  capacity: Capacity,
  weightsWidth = 0,
  exits: readonly number[] = [],
): DecoderGraph {
  const graph = new Graph();
  if (config.lowRank !== undefined) graph.beside = besideMaps(graph, config.lowRank);
  const tokens = graph.dimension("tokens", capacity.tokens);
  const outputs = graph.dimension("outputs", capacity.outputs);
  const ids = graph.input("ids", [tokens], "i32");
  const positions = graph.input("positions", [tokens], "i32");
  const tables = (name: string, length: number) => graph.input(name, [capacity.sequences, blocksFor(length)], "i32");
  const places = {
    blockTables: tables("blockTables", capacity.contextLength),
    sequences: graph.input("sequences", [tokens], "i32"),
    visible: graph.input("visible", [tokens], "i32"),
    slots: graph.input("slots", [tokens], "i32"),
  };
  const outputRows = graph.input("outputRows", [outputs], "i32");
  const { decoder } = config;
  const prefix = config.kind === "decoder-only" ? "" : "decoder.";
  const cross =
    config.kind === "decoder-only"
      ? undefined
      : {
          kind: "cached" as const,
          layers: layerCaches(graph, "crossCache", decoder, capacity.crossBlocks, capacity.codecs),
          places: {
            blockTables: tables("crossTables", capacity.contextLength),
            sequences: places.sequences,
            visible: graph.input("crossVisible", [tokens], "i32"),
          },
          weightsWidth,
        };
  const embedding = graph.parameter(`${prefix}embedding.weight`, [config.vocabSize, decoder.hiddenSize]);
  const states = stack({
    ids,
    embedding,
    context: {
      graph,
      stack: decoder,
      positions,
      keyValues: {
        kind: "cached",
        places,
        layers: layerCaches(graph, "cache", decoder, capacity.blocks, capacity.codecs),
        weightsWidth,
      },
      contextLength: capacity.contextLength,
      prefix,
    },
    cross,
  });
  const logits = graph.name("logits", head(graph, config, embedding, selectRows(states, outputRows)));
  for (const layer of exits) {
    const state = layer === 0 ? embedded(graph, prefix) : graph.find(`${blockScope(prefix, layer - 1)}output`)!;
    graph.name(`exits.${layer}`, head(graph, config, embedding, selectRows(state, outputRows)));
  }
  const normaliser = graph.name("logSumExp", logSumExp(logits));
  const results = { logits, logSumExp: normaliser, likeliest: argmax(logits) };
  return { graph, ids, positions, places, cross: cross?.places, outputRows, ...results };
}

/** What the first block reads. */
function embedded(graph: Graph, prefix: string): Tensor {
  const names = ["embeddingNorm", "embedding", "tokenEmbedding"];
  return names.map((name) => graph.find(`${prefix}${name}`)).find((tensor) => tensor !== undefined)!;
}

/** One pair of states per layer: `cache.N.keys` and `cache.N.values`. */
export function layerCaches(
  graph: Graph,
  name: string,
  config: StackConfig,
  blocks: number,
  codecs: CacheCodecs = plainCache,
): LayerCache[] {
  return config.layers.map((_, index) => layerCache(graph, `${name}.${index}`, config.attention, blocks, codecs));
}

/** From states [n, hiddenSize] to logits [n, vocabSize]. */
export function head(
  graph: Graph,
  { head: config, vocabSize, decoder }: ModelConfig,
  embedding: Tensor,
  states: Tensor,
): Tensor {
  const weight = config.tied ? embedding : graph.parameter("head.weight", [vocabSize, decoder.hiddenSize]);
  const scaled = config.scale === 1 ? states : scale(states, config.scale);
  const logits = linear(scaled, weight, config.bias ? graph.parameter("head.bias", [vocabSize]) : undefined);
  return config.softCap > 0 ? softCap(logits, config.softCap) : logits;
}
