/**
 * Q4_K: super-blocks of 256 values in 8 groups of 32, value = d · scale · q − dmin · min.
 *
 * Block, 144 bytes: f16 d; f16 dmin; 12 bytes of six-bit scales and minima; 128 bytes of q, where each 32 bytes hold
 * one group in the low nibbles and the next in the high ones.
 */
import { halfAt } from "./block-scale.js";
import { minOf, scaleOf } from "./k-scales.js";
const blockBytes = 144;
/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ4_K(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
        const d = halfAt(blocks, block);
        const dmin = halfAt(blocks, block + 2);
        for (let group = 0; group < 8; group++) {
            const scale = Math.fround(d * scaleOf(blocks, block + 4, group));
            const min = Math.fround(dmin * minOf(blocks, block + 4, group));
            const shift = (group & 1) * 4;
            const from = block + 16 + (group >> 1) * 32;
            const to = at + group * 32;
            for (let i = 0; i < 32; i++)
                into[to + i] = Math.fround(scale * ((blocks[from + i] >> shift) & 15)) - min;
        }
    }
}
