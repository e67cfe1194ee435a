/**
 * Q3_K: super-blocks of 256 values in 16 groups of 16, value = d · (scale − 32) · q, with q from −4 to 3.
 *
 * Block, 110 bytes: 32 bytes of third bits (bit k of byte l for value 32k + l; 0 means minus 4); 64 bytes of the
 * lower two bits; 12 bytes of six-bit scales; f16 d.
 */
import { halfAt } from "./block-scale.js";
const blockBytes = 110;
/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ3_K(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
        const d = halfAt(blocks, block + 108);
        for (let group = 0; group < 16; group++) {
            const scale = Math.fround(d * (sixBits(blocks, block + 96, group) - 32));
            const shift = group & 6;
            const thirdBit = group >> 1;
            const high = block + (group & 1) * 16;
            const low = block + 32 + (group >> 3) * 32 + (group & 1) * 16;
            const to = at + group * 16;
            for (let i = 0; i < 16; i++) {
                const offset = ((blocks[high + i] >> thirdBit) & 1) === 1 ? 0 : 4;
                into[to + i] = scale * (((blocks[low + i] >> shift) & 3) - offset);
            }
        }
    }
}
/** Scale `group` of 16: its low four bits are in the first 8 bytes, its high two in the last 4. */
function sixBits(blocks, scales, group) {
    const low = (blocks[scales + (group & 7)] >> ((group >> 3) * 4)) & 15;
    const high = (blocks[scales + 8 + (group & 3)] >> ((group >> 2) * 2)) & 3;
    return low | (high << 4);
}
