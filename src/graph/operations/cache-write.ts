/**
 * Writes the keys or values of this run's tokens into their slots of a KV cache.
 *
 * A cache is a state of fixed-size blocks, each of `blockSize` positions of every key-value head; slot = block ·
 * blockSize + offset. How a block lies in memory: `cache-codecs.ts`.
 */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../operation.js";
import { rowWidth, showShape, type Tensor } from "../tensor.js";
import { type CacheCodec, type CacheRole, cacheBlockWords, cacheBytes, cacheCodecOf } from "./cache-codecs.js";

export interface CacheWriteAttributes {
  readonly role: CacheRole;
  readonly codec: CacheCodec;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly blockSize: number;
}

/**
 * @param cache - state [blocks, words of a block], the words as `cacheBlockWords` counts them
 * @param x - [n, keyValueHeadCount · headDim]
 * @param slots - i32 [n]; a negative slot is not written
 * @returns the cache, after the write
 */
export function cacheWrite(cache: Tensor, x: Tensor, slots: Tensor, attributes: CacheWriteAttributes): Tensor {
  const { codec, keyValueHeadCount, headDim } = attributes;
  if (rowWidth(x) !== keyValueHeadCount * headDim) {
    throw new ShapeError("cache-write", `[n, ${keyValueHeadCount * headDim}]`, showShape(x.shape));
  }
  const words = cacheBlockWords(codec, keyValueHeadCount, headDim);
  if (rowWidth(cache) !== words) throw new ShapeError("cache-write", `[blocks, ${words}]`, showShape(cache.shape));
  return cache.graph.apply("cache-write", [cache, x, slots], attributes, cache.shape, "f32");
}

export const cacheWriteOperation = defineOperation<CacheWriteAttributes>({
  name: "cache-write",
  writesInput: 0,
  reference({ inputs: [cache, x, slots], attributes }) {
    const { role, codec, keyValueHeadCount, headDim, blockSize } = attributes;
    const { rows, width } = rowsOf(x!);
    const memory = cacheBytes(floats(cache!) as Float32Array);
    const { partBytes, write } = cacheCodecOf[codec];
    for (let row = 0; row < rows; row++) {
      const slot = integers(slots!)[row]!;
      if (slot < 0) continue;
      const block = Math.floor(slot / blockSize);
      for (let head = 0; head < keyValueHeadCount; head++) {
        const part = (block * keyValueHeadCount + head) * partBytes(headDim);
        const first = row * width + head * headDim;
        const vector = Float32Array.from(floats(x!).subarray(first, first + headDim));
        write(memory, { part, role, headDim, offset: slot % blockSize }, vector);
      }
    }
  },
});
