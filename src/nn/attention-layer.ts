/** The attention part of a block: projections, positions, attention itself, and where keys and values are found. */
import type { Graph } from "../graph/graph.js";
import { type AttentionInputs, attention, type RelativeBias } from "../graph/operations/attention.js";
import { attentionWeights } from "../graph/operations/attention-weights.js";
import { type CacheCodecs, cacheBlockWords } from "../graph/operations/cache-codecs.js";
import { cacheWrite } from "../graph/operations/cache-write.js";
import { rmsNorm } from "../graph/operations/rms-norm.js";
import { rotary } from "../graph/operations/rotary.js";
import { type SequenceAttentionInputs, sequenceAttention } from "../graph/operations/sequence-attention.js";
import type { Tensor } from "../graph/tensor.js";
import type { AttentionConfig, LayerConfig, StackConfig } from "./config.js";
import { projection } from "./layers.js";
import { rotaryTable } from "./positions.js";

/** Positions in one block of the KV cache. */
export const cacheBlockSize = 16;

/** Numbers in one block of a layer's keys or values, whatever holds them. */
export function cacheBlockElements(config: AttentionConfig): number {
  return config.keyValueHeadCount * config.headDim * cacheBlockSize;
}

/** Where a run's tokens stand in a cache; shared by all layers. */
export interface CachePlaces {
  /** i32 [sequences, blocks per sequence] */
  readonly blockTables: Tensor;
  /** i32 [n]: row of `blockTables`. */
  readonly sequences: Tensor;
  /** i32 [n]: keys that each token sees. */
  readonly visible: Tensor;
  /** i32 [n]: where each token's keys and values go; absent where nothing is written (cross-attention). */
  readonly slots?: Tensor;
}

/** The keys and values of one layer, as states. */
export interface LayerCache {
  readonly keys: Tensor;
  readonly values: Tensor;
  readonly codecs: CacheCodecs;
}

/** @param blocks - how many each of the two holds */
export function layerCache(
  graph: Graph,
  name: string,
  { keyValueHeadCount, headDim }: AttentionConfig,
  blocks: number,
  codecs: CacheCodecs,
): LayerCache {
  const state = (part: "keys" | "values") =>
    graph.state(`${name}.${part}`, [blocks, cacheBlockWords(codecs[part], keyValueHeadCount, headDim)]);
  return { keys: state("keys"), values: state("values"), codecs };
}

/** Keys and values in caches that live on between runs: generation. */
export interface CachedKeyValues {
  readonly kind: "cached";
  readonly places: CachePlaces;
  /** One for each layer. */
  readonly layers: readonly LayerCache[];
  /** Also compute the matrices of scores and probabilities, this many keys wide; 0: do not. */
  readonly weightsWidth: number;
}

/** Keys and values in the rows of this run, sequence after sequence: training. */
export interface PackedKeyValues {
  readonly kind: "packed";
  /** i32 [n]: the first row that each token sees, and the one after the last. */
  readonly first: Tensor;
  readonly end: Tensor;
}

/** What the layers of one run share. */
export interface AttentionContext {
  readonly graph: Graph;
  readonly stack: StackConfig;
  /** i32 [n] */
  readonly positions: Tensor;
  readonly keyValues: CachedKeyValues | PackedKeyValues;
  readonly relative?: RelativeBias;
  /** Rows of position tables. */
  readonly contextLength: number;
  /** Prefix of names of constants and parameters of this stack. */
  readonly prefix: string;
  /** Sets elements of a part's result to zero at random; absent outside of training. */
  readonly dropout?: (x: Tensor) => Tensor;
}

/** What attention to an encoder's output reads: caches that hold its keys and values, or the output [m, hiddenSize]. */
export type CrossKeyValues = CachedKeyValues | (PackedKeyValues & { readonly source: Tensor });

/** A layer, and its number in the stack. */
export interface Layer {
  readonly index: number;
  readonly config: LayerConfig;
}

/**
 * Self-attention of one block, without its norm and residual. With a cache, writes this run's keys and values there
 * and attends to what it holds.
 * @param x - [n, hiddenSize]
 * @returns [n, hiddenSize]
 */
export function selfAttention(ctx: AttentionContext, place: string, x: Tensor, { index, config }: Layer): Tensor {
  const { graph, stack, keyValues, relative } = ctx;
  const { headCount, keyValueHeadCount, headDim, bias, queryKeyNorm } = stack.attention;
  const project = (name: "query" | "key" | "value", heads: number): Tensor =>
    projection(graph, `${place}.${name}`, x, heads * headDim, bias[name]);
  const normed = (name: "query" | "key", projected: Tensor, heads: number): Tensor => {
    if (!queryKeyNorm) return projected;
    const weight = graph.parameter(`${place}.${name}Norm.weight`, [headDim]);
    return rmsNorm(projected, weight, { eps: stack.norm.eps, groups: heads });
  };
  // The maps of x stand together, so that a backend can do them together.
  const projectedQuery = project("query", headCount);
  const projectedKey = project("key", keyValueHeadCount);
  const projectedValue = project("value", keyValueHeadCount);
  const query = graph.name("query", rotate(ctx, normed("query", projectedQuery, headCount), config));
  const key = graph.name("key", rotate(ctx, normed("key", projectedKey, keyValueHeadCount), config));
  const value = graph.name("value", projectedValue);
  if (keyValues.kind === "packed") {
    return attendRows(ctx, place, { query, key, value, first: keyValues.first, end: keyValues.end, relative }, config);
  }
  const { places, layers } = keyValues;
  const written = writeCache(graph, stack.attention, layers[index]!, key, value, places.slots!);
  return attendCache(ctx, place, query, written, config, keyValues, relative);
}

/**
 * Attention to an encoder's output.
 * @param x - [n, hiddenSize]
 */
export function crossAttention(
  ctx: AttentionContext,
  place: string,
  x: Tensor,
  layer: Layer,
  keyValues: CrossKeyValues,
): Tensor {
  const { headCount, headDim, bias } = ctx.stack.attention;
  const config = { ...layer.config, window: 0 };
  const query = ctx.graph.name("query", projection(ctx.graph, `${place}.query`, x, headCount * headDim, bias.query));
  if (keyValues.kind === "cached") {
    return attendCache(ctx, place, query, keyValues.layers[layer.index]!, config, keyValues, undefined);
  }
  const { first, end, source } = keyValues;
  return attendRows(ctx, place, { query, ...crossProjections(ctx, place, source), first, end }, config);
}

/**
 * Keys and values of an encoder's output for one layer of the decoder.
 * @param source - [m, hiddenSize]
 * @returns [m, keyValueHeadCount · headDim] each
 */
export function crossProjections(
  { graph, stack }: Pick<AttentionContext, "graph" | "stack">,
  place: string,
  source: Tensor,
): { key: Tensor; value: Tensor } {
  const { keyValueHeadCount, headDim, bias } = stack.attention;
  const part = (name: "key" | "value") =>
    projection(graph, `${place}.${name}`, source, keyValueHeadCount * headDim, bias[name]);
  return { key: part("key"), value: part("value") };
}

/** Writes keys and values [n, keyValueHeadCount · headDim] into their slots. */
export function writeCache(
  graph: Graph,
  config: AttentionConfig,
  cache: LayerCache,
  key: Tensor,
  value: Tensor,
  slots: Tensor,
  place = "",
): LayerCache {
  const { keyValueHeadCount, headDim } = config;
  const attributes = { keyValueHeadCount, headDim, blockSize: cacheBlockSize };
  const { codecs } = cache;
  const keys = cacheWrite(cache.keys, key, slots, { ...attributes, role: "key", codec: codecs.keys });
  const values = cacheWrite(cache.values, value, slots, { ...attributes, role: "value", codec: codecs.values });
  graph.name(`${place}keys`, keys);
  graph.name(`${place}values`, values);
  return { keys, values, codecs };
}

function rotate(ctx: AttentionContext, x: Tensor, layer: LayerConfig): Tensor {
  const { position, attention } = ctx.stack;
  if (position.kind !== "rotary") return x;
  const name = `${ctx.prefix}rotary.${layer.rotary}`;
  const table = rotaryTable(ctx.graph, name, position.tables[layer.rotary]!, ctx.contextLength);
  const { layout, rotaryDim } = position;
  return rotary(x, ctx.positions, table, { headDim: attention.headDim, rotaryDim, layout });
}

function attendRows(
  ctx: AttentionContext,
  place: string,
  inputs: SequenceAttentionInputs,
  { scale, window }: LayerConfig,
): Tensor {
  const { graph, stack } = ctx;
  const { headCount, keyValueHeadCount, headDim, softCap, bias } = stack.attention;
  const attributes = { headCount, keyValueHeadCount, headDim, scale, softCap, window };
  const mixed = graph.name("mixed", sequenceAttention(inputs, attributes));
  return projection(graph, `${place}.output`, mixed, stack.hiddenSize, bias.output);
}

function attendCache(
  ctx: AttentionContext,
  place: string,
  query: Tensor,
  cache: LayerCache,
  layer: LayerConfig,
  { places, weightsWidth }: CachedKeyValues,
  relative: RelativeBias | undefined,
): Tensor {
  const { graph, stack } = ctx;
  const { headCount, keyValueHeadCount, headDim, softCap, bias } = stack.attention;
  const { blockTables, sequences, visible } = places;
  const { keys, values, codecs } = cache;
  const inputs: AttentionInputs = { query, keys, values, blockTables, sequences, visible, relative };
  const attributes = {
    headCount,
    keyValueHeadCount,
    headDim,
    blockSize: cacheBlockSize,
    keyCodec: codecs.keys,
    valueCodec: codecs.values,
    scale: layer.scale,
    softCap,
    window: layer.window,
  };
  if (weightsWidth > 0) {
    const look = { ...attributes, keyCapacity: weightsWidth };
    graph.name("scores", attentionWeights(inputs, { ...look, stage: "scores" }));
    graph.name("probabilities", attentionWeights(inputs, { ...look, stage: "probabilities" }));
  }
  const mixed = graph.name("mixed", attention(inputs, attributes));
  return projection(graph, `${place}.output`, mixed, stack.hiddenSize, bias.output);
}
