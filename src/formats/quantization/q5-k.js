/**
 * Q5_K: super-blocks of 256 values in 8 groups of 32, value = d · scale · q − dmin · min.
 *
 * Block, 176 bytes: f16 d; f16 dmin; 12 bytes of six-bit scales and minima; 32 bytes of fifth bits (bit g of byte l
 * for value 32g + l); 128 bytes of the lower four bits, as in Q4_K.
 */
import { halfAt } from "./block-scale.js";
import { minOf, scaleOf } from "./k-scales.js";
const blockBytes = 176;
/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ5_K(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
        const d = halfAt(blocks, block);
        const dmin = halfAt(blocks, block + 2);
        for (let group = 0; group < 8; group++) {
            const scale = Math.fround(d * scaleOf(blocks, block + 4, group));
            const min = Math.fround(dmin * minOf(blocks, block + 4, group));
            const shift = (group & 1) * 4;
            const high = block + 16;
            const low = block + 48 + (group >> 1) * 32;
            const to = at + group * 32;
            for (let i = 0; i < 32; i++) {
                const q = ((blocks[low + i] >> shift) & 15) | (((blocks[high + i] >> group) & 1) << 4);
                into[to + i] = Math.fround(scale * q) - min;
            }
        }
    }
}
