/** What a sequence has in the KV cache, and what its last run read of it. */
import type { StateResource } from "../backends/backend.js";
import { type CacheCodec, plainCache } from "../graph/operations/cache-codecs.js";
import type { Network } from "../models/network.js";
import { cacheBlockElements, cacheBlockSize } from "../nn/attention-layer.js";
import type { Sequence } from "./sequence.js";

export interface CacheReport {
  /** Positions in a block. */
  readonly blockSize: number;
  /** Positions that are filled. */
  readonly positions: number;
  /** Blocks that hold them: ⌈positions / blockSize⌉. */
  readonly blocks: number;
  /** Of these, blocks that other sessions hold too. */
  readonly sharedBlocks: number;
  /** Bytes of these blocks, all layers; for an encoder-decoder model, those of the encoded source too. */
  readonly bytesHeld: number;
  /**
   * Bytes that attention read of the cache in the last run that this session had a part in: all blocks that some layer
   * saw, each once. Whole blocks of live tokens, whatever the cache could hold; 0 before the first run.
   */
  readonly bytesMoved: number;
  readonly layers: readonly LayerCacheReport[];
}

export interface LayerCacheReport {
  /** How far back the layer sees, in positions; 0: everything. */
  readonly window: number;
  /** Blocks that the layer read in the last run; those wholly behind its window are left out. */
  readonly blocksRead: number;
  readonly keys: CachePartReport;
  readonly values: CachePartReport;
}

export interface CachePartReport {
  readonly codec: CacheCodec;
  /** Bytes held of them. */
  readonly bytes: number;
  /** These, divided by what they would be in float32; 1 where nothing is held. */
  readonly compression: number;
}

export function cacheReport(network: Network, sequence: Sequence): CacheReport {
  const { cache, capacity, config } = network;
  const { table, source, lastRun } = sequence;
  const { blocks } = table;
  const codecs = capacity.codecs ?? plainCache;
  const sourceBytes = source === undefined ? 0 : source.table.blocks.length * network.crossCache.blockBytes;
  const plainBytes = 4 * cacheBlockElements(config.decoder.attention) * blocks.length;
  const part = (state: StateResource, codec: CacheCodec): CachePartReport => {
    const bytes = cache.partBytes(state) * blocks.length;
    return { codec, bytes, compression: plainBytes === 0 ? 1 : bytes / plainBytes };
  };
  const layers = cache.layers.map((layer) => {
    const read = cache.blocksRead(layer, lastRun.sees, lastRun.end);
    const parts = { keys: part(layer.keys, codecs.keys), values: part(layer.values, codecs.values) };
    return { window: layer.window, blocksRead: read.end - read.first, ...parts };
  });
  return {
    blockSize: cacheBlockSize,
    positions: table.length,
    blocks: blocks.length,
    sharedBlocks: blocks.filter((block) => table.pool.isShared(block)).length,
    bytesHeld: blocks.length * cache.blockBytes + sourceBytes,
    bytesMoved: bytesMoved(network, sequence),
    layers,
  };
}

function bytesMoved({ cache, crossCache }: Network, { source, lastRun: { sees, end } }: Sequence): number {
  if (end === 0) return 0;
  return cache.bytesRead(sees, end) + (source === undefined ? 0 : crossCache.bytesRead(source.length, source.length));
}
