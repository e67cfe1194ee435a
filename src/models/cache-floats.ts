/** The cache's blocks as numbers, layer by layer, where it holds them as such: to move positions within it. */
import { UnsupportedError } from "../core/errors.js";
import { plainCache } from "../graph/operations/cache-codecs.js";
import { cacheBlockElements, cacheBlockSize } from "../nn/attention-layer.js";
import type { Network } from "./network.js";

/** One layer's part of a block; views that are valid until a program is run or compiled. */
export interface LayerBlock {
  /** [keyValueHeadCount, headDim, block size] */
  readonly keys: Float32Array;
  /** [keyValueHeadCount, block size, headDim] */
  readonly values: Float32Array;
}

/** Whether every block of the cache is plain float32, as `LayerBlock` says. */
export function holdsFloats({ capacity: { codecs = plainCache } }: Network): boolean {
  return codecs.keys === "f32" && codecs.values === "f32";
}

/** @throws UnsupportedError for a cache in another storage type than float32 */
export function checkHoldsFloats(network: Network): void {
  if (!holdsFloats(network)) throw new UnsupportedError("moving keys in a cache of", "compressed blocks", ["f32"]);
}

/** One layer's part of each of these blocks, of a cache that `checkHoldsFloats` passes. */
export function layerBlocks(network: Network, layer: number, blocks: readonly number[]): LayerBlock[] {
  const { cache, config } = network;
  const { keys, values } = cache.layers[layer]!;
  const elements = cacheBlockElements(config.decoder.attention);
  return blocks.map((block) => ({
    keys: keys.data.subarray(block * elements, (block + 1) * elements),
    values: values.data.subarray(block * elements, (block + 1) * elements),
  }));
}

/**
 * Zeroes the positions from `filled` on in the bytes of a block, which may hold what others left there. Of plain floats
 * only; other bytes stay.
 * @param bytes - as `CacheMemory.readBlock` gives them
 */
export function clearUnfilled(network: Network, bytes: Uint8Array, filled: number): void {
  if (filled >= cacheBlockSize || !holdsFloats(network)) return;
  const { keyValueHeadCount, headDim } = network.config.decoder.attention;
  const floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const headElements = headDim * cacheBlockSize;
  for (let head = 0; head * headElements < floats.length; head++) {
    const at = head * headElements;
    // Keys and values take turns, all heads of a layer at a time.
    if (Math.floor(head / keyValueHeadCount) % 2 === 1) {
      floats.fill(0, at + filled * headDim, at + headElements);
      continue;
    }
    for (let i = 0; i < headDim; i++) {
      const row = at + i * cacheBlockSize;
      floats.fill(0, row + filled, row + cacheBlockSize);
    }
  }
}
