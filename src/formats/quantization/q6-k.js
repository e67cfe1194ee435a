/**
 * Q6_K: super-blocks of 256 values in 16 groups of 16, value = d · scale · (q − 32).
 *
 * Block, 210 bytes: 128 bytes of the lower four bits; 64 bytes of the upper two; 16 signed scales; f16 d. Each half
 * of 128 values takes 64 and 32 of those bytes, and is stored as four rows of 32.
 */
import { halfAt } from "./block-scale.js";
const blockBytes = 210;
/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ6_K(blocks, into) {
    const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
        const d = halfAt(blocks, block + 208);
        for (let group = 0; group < 16; group++) {
            const scale = Math.fround(d * signed[block + 192 + group]);
            const half = group >> 3;
            const row = (group >> 1) & 3;
            const within = (group & 1) * 16;
            const low = block + half * 64 + (row & 1) * 32 + within;
            const high = block + 128 + half * 32 + within;
            const lowShift = (row >> 1) * 4;
            const highShift = row * 2;
            const to = at + group * 16;
            for (let i = 0; i < 16; i++) {
                const q = ((blocks[low + i] >> lowShift) & 15) | (((blocks[high + i] >> highShift) & 3) << 4);
                into[to + i] = scale * (q - 32);
            }
        }
    }
}
