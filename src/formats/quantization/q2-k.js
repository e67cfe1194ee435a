/**
 * Q2_K: super-blocks of 256 values in 16 groups of 16, value = d · scale · q − dmin · min.
 *
 * Block, 84 bytes: 16 bytes, scale in the low and min in the high nibble; 64 bytes of q, two bits each; f16 d; f16 dmin.
 */
import { halfAt } from "./block-scale.js";
const blockBytes = 84;
/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ2_K(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
        const d = halfAt(blocks, block + 80);
        const dmin = halfAt(blocks, block + 82);
        for (let group = 0; group < 16; group++) {
            const packed = blocks[block + group];
            const scale = Math.fround(d * (packed & 15));
            const min = Math.fround(dmin * (packed >> 4));
            const shift = group & 6;
            const from = block + 16 + (group >> 3) * 32 + (group & 1) * 16;
            const to = at + group * 16;
            for (let i = 0; i < 16; i++)
                into[to + i] = Math.fround(scale * ((blocks[from + i] >> shift) & 3)) - min;
        }
    }
}
