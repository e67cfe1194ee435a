/**
 * Writes the keys or values of this run's tokens into their slots of a KV cache.
 *
 * A cache is a state of fixed-size blocks, each of `blockSize` positions of every key-value head; slot = block ·
 * blockSize + offset. A block of keys lies [keyValueHead][headDim][blockSize], so that neighbouring positions are
 * neighbours in memory; a block of values lies [keyValueHead][blockSize][headDim].
 */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../operation.js";
import { rowWidth, showShape } from "../tensor.js";
/**
 * @param cache - state [blocks, keyValueHeadCount · headDim · blockSize]
 * @param x - [n, keyValueHeadCount · headDim]
 * @param slots - i32 [n]; a negative slot is not written
 * @returns the cache, after the write
 */
export function cacheWrite(cache, x, slots, attributes) {
    const { keyValueHeadCount, headDim, blockSize } = attributes;
    if (rowWidth(x) !== keyValueHeadCount * headDim || rowWidth(cache) !== rowWidth(x) * blockSize) {
        throw new ShapeError("cache-write", `[n, ${keyValueHeadCount * headDim}]`, showShape(x.shape));
    }
    return cache.graph.apply("cache-write", [cache, x, slots], attributes, cache.shape, "f32");
}
/** Index of an element in a cache's memory. */
export function cacheIndex(a, slot, head, element) {
    const block = Math.floor(slot / a.blockSize);
    const offset = slot % a.blockSize;
    const base = (block * a.keyValueHeadCount + head) * a.headDim * a.blockSize;
    return base + (a.role === "key" ? element * a.blockSize + offset : offset * a.headDim + element);
}
export const cacheWriteOperation = defineOperation({
    name: "cache-write",
    writesInput: 0,
    reference({ inputs: [cache, x, slots], attributes }) {
        const { rows, width } = rowsOf(x);
        for (let row = 0; row < rows; row++) {
            const slot = integers(slots)[row];
            if (slot < 0)
                continue;
            for (let i = 0; i < width; i++) {
                const [head, element] = [Math.floor(i / attributes.headDim), i % attributes.headDim];
                floats(cache)[cacheIndex(attributes, slot, head, element)] = floats(x)[row * width + i];
            }
        }
    },
});
