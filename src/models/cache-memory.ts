/**
 * The memory of a KV cache: every layer's keys and values, block by block, as bytes.
 *
 * What the bytes of a block mean is the business of those that write and read them (`graph/operations/cache-codecs.ts`);
 * here blocks are copied, taken out and put back whole.
 */
import type { StateResource } from "../backends/backend.js";
import { assert, InvalidValueError } from "../core/errors.js";

export class CacheMemory {
  /** Bytes of one block, all layers. */
  readonly blockBytes: number;

  /**
   * @param states - of each layer the keys, then the values
   * @param blocks - how many each of them holds
   */
  constructor(
    readonly states: readonly StateResource[],
    readonly blocks: number,
  ) {
    this.blockBytes = states.reduce((sum, state) => sum + state.bytes / Math.max(1, blocks), 0);
  }

  /** Copies the contents of one block to another. */
  copyBlock(from: number, to: number): void {
    for (const { data } of this.states) {
      const elements = data.length / this.blocks;
      data.copyWithin(to * elements, from * elements, (from + 1) * elements);
    }
  }

  /** The contents of a block: layer after layer its keys, then its values, as the cache holds them. */
  readBlock(block: number): Uint8Array {
    const bytes = new Uint8Array(this.blockBytes);
    let at = 0;
    for (const state of this.states) {
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
    for (const state of this.states) {
      const part = this.#part(state, block);
      part.set(bytes.subarray(at, at + part.length));
      at += part.length;
    }
  }

  #part({ data }: StateResource, block: number): Uint8Array {
    assert(block >= 0 && block < this.blocks, `no block ${block} in a cache of ${this.blocks}`);
    const bytes = data.byteLength / this.blocks;
    return new Uint8Array(data.buffer, data.byteOffset + block * bytes, bytes);
  }
}
