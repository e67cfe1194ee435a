/**
 * The memory of a KV cache: every layer's keys and values, block by block.
 *
 * What the bytes of a block mean is the business of those that write and read them (`graph/operations/cache-codecs.ts`);
 * here blocks are copied, taken out and put back whole, and what of them attention reads is counted.
 */
import type { StateResource } from "../backends/backend.js";
import { assert, InvalidValueError } from "../core/errors.js";
import { cacheBlockSize } from "../nn/attention-layer.js";

/** What the cache holds for one layer. */
export interface CachedLayer {
  readonly keys: StateResource;
  readonly values: StateResource;
  /** How far back the layer sees, in positions; 0: everything. */
  readonly window: number;
}

/** Blocks of a sequence that attention reads: from `first` up to `end`. */
export interface BlockRange {
  readonly first: number;
  readonly end: number;
}

export class CacheMemory {
  /** Bytes of one block, all layers. */
  readonly blockBytes: number;
  readonly #states: readonly StateResource[];

  /** @param blocks - how many each state holds */
  constructor(
    readonly layers: readonly CachedLayer[],
    readonly blocks: number,
  ) {
    this.#states = layers.flatMap(({ keys, values }) => [keys, values]);
    this.blockBytes = layers.reduce((sum, layer) => sum + this.layerBytes(layer), 0);
  }

  /** Bytes of one block of keys or values. */
  partBytes(state: StateResource): number {
    return state.bytes / Math.max(1, this.blocks);
  }

  /** Bytes of one block of a layer. */
  layerBytes({ keys, values }: CachedLayer): number {
    return this.partBytes(keys) + this.partBytes(values);
  }

  /**
   * The blocks that a layer's attention reads of a sequence in one run: no block behind the windows of all tokens.
   * @param sees - positions that the run's first token sees
   * @param end - positions that its last token sees
   */
  blocksRead({ window }: CachedLayer, sees: number, end: number): BlockRange {
    const start = window > 0 ? Math.max(0, sees - window) : 0;
    return { first: Math.floor(start / cacheBlockSize), end: Math.ceil(end / cacheBlockSize) };
  }

  /** Bytes of these blocks, of all layers: what one run brings from the cache, each block counted once. */
  bytesRead(sees: number, end: number): number {
    let bytes = 0;
    for (const layer of this.layers) {
      const range = this.blocksRead(layer, sees, end);
      bytes += (range.end - range.first) * this.layerBytes(layer);
    }
    return bytes;
  }

  /** Copies the contents of one block to another. */
  copyBlock(from: number, to: number): void {
    for (const { data } of this.#states) {
      const elements = data.length / this.blocks;
      data.copyWithin(to * elements, from * elements, (from + 1) * elements);
    }
  }

  /** The contents of a block: layer after layer its keys, then its values, as the cache holds them. */
  readBlock(block: number): Uint8Array {
    const bytes = new Uint8Array(this.blockBytes);
    let at = 0;
    for (const state of this.#states) {
      const part = this.#part(state, block);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Puts back what `readBlock` gave. @throws InvalidValueError for another number of bytes */
  writeBlock(block: number, bytes: Uint8Array): void {
    if (bytes.length !== this.blockBytes) {
      throw new InvalidValueError("a cache block", `${this.blockBytes} bytes`, `${bytes.length} bytes`);
    }
    let at = 0;
    for (const state of this.#states) {
      const part = this.#part(state, block);
      part.set(bytes.subarray(at, at + part.length));
      at += part.length;
    }
  }

  #part(state: StateResource, block: number): Uint8Array {
    assert(block >= 0 && block < this.blocks, `no block ${block} in a cache of ${this.blocks}`);
    const bytes = this.partBytes(state);
    return new Uint8Array(state.data.buffer, state.data.byteOffset + block * bytes, bytes);
  }
}
