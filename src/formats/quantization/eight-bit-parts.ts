/**
 * Blocks of Q8_0 as two plain tensors, integers and scales, and the other way round: the same numbers as
 * Hugging Face's `compressed-tensors` lays them out (`weight` int8 [rows, columns], `weight_scale` [rows, columns / 32]).
 */
import type { StoredTensor } from "../../core/checkpoint.js";

/** Values that share a scale. */
export const eightBitGroup = 32;

const blockBytes = 34;
const scaleBytes = 2;

/** The integers of Q8_0 blocks, as a tensor of the same shape. */
export function integersOf(blocks: StoredTensor): StoredTensor {
  const byteLength = (blocks.byteLength / blockBytes) * eightBitGroup;
  return part(blocks, blocks.name, blocks.shape, "i8", byteLength, scaleBytes, eightBitGroup);
}

/** The scales of Q8_0 blocks: [rows, columns / 32], float16. */
export function scalesOf(blocks: StoredTensor, name: string): StoredTensor {
  const shape = [...blocks.shape.slice(0, -1), blocks.shape.at(-1)! / eightBitGroup];
  return part(blocks, name, shape, "f16", (blocks.byteLength / blockBytes) * scaleBytes, 0, scaleBytes);
}

/**
 * Integers and their scales as Q8_0 blocks, put together while they are read.
 *
 * @param integers - int8 [rows, columns], columns a multiple of 32
 * @param scales - float16 [rows, columns / 32]; the caller has checked both
 */
export function blocksOf(integers: StoredTensor, scales: StoredTensor): StoredTensor {
  const byteLength = (integers.byteLength / eightBitGroup) * blockBytes;
  const read = async (byteOffset: number, into: Uint8Array): Promise<void> => {
    const [first, last] = blockRange(byteOffset, into.length, blockBytes);
    const values = new Uint8Array((last - first) * eightBitGroup);
    const factors = new Uint8Array((last - first) * scaleBytes);
    await integers.read(first * eightBitGroup, values);
    await scales.read(first * scaleBytes, factors);
    const blocks = new Uint8Array((last - first) * blockBytes);
    for (let block = 0; block < last - first; block++) {
      blocks.set(factors.subarray(block * scaleBytes, (block + 1) * scaleBytes), block * blockBytes);
      const own = values.subarray(block * eightBitGroup, (block + 1) * eightBitGroup);
      blocks.set(own, block * blockBytes + scaleBytes);
    }
    const start = byteOffset - first * blockBytes;
    into.set(blocks.subarray(start, start + into.length));
  };
  return { name: integers.name, shape: integers.shape, storage: "q8_0", byteLength, read };
}

/** `length` bytes from `from` on of every block, one after another. */
function part(
  blocks: StoredTensor,
  name: string,
  shape: readonly number[],
  storage: "i8" | "f16",
  byteLength: number,
  from: number,
  length: number,
): StoredTensor {
  const read = async (byteOffset: number, into: Uint8Array): Promise<void> => {
    const [first, last] = blockRange(byteOffset, into.length, length);
    const bytes = new Uint8Array((last - first) * blockBytes);
    await blocks.read(first * blockBytes, bytes);
    const parts = new Uint8Array((last - first) * length);
    for (let block = 0; block < last - first; block++) {
      const at = block * blockBytes + from;
      parts.set(bytes.subarray(at, at + length), block * length);
    }
    const start = byteOffset - first * length;
    into.set(parts.subarray(start, start + into.length));
  };
  return { name, shape, storage, byteLength, read };
}

/** The blocks, of `length` bytes each, that some bytes lie in. */
function blockRange(byteOffset: number, count: number, length: number): [number, number] {
  return [Math.floor(byteOffset / length), Math.ceil((byteOffset + count) / length)];
}
