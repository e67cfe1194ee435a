/**
 * Q4_0: blocks of 32 values, value = scale · (q − 8).
 *
 * Block, 18 bytes: f16 scale; 16 bytes of q, the first 16 values in the low nibbles, the others in the high ones.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { farthest, inverse, level } from "./level.js";
const blockBytes = 18;
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeQ4_0(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfAt(blocks, block);
        for (let i = 0; i < 16; i++) {
            const pair = blocks[block + 2 + i];
            into[at + i] = scale * ((pair & 15) - 8);
            into[at + 16 + i] = scale * ((pair >> 4) - 8);
        }
    }
}
/** @param values - [n], finite. @param into - [n / 32] blocks, written. */
export function quantizeQ4_0(values, into) {
    for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 32) {
        const scale = Math.fround(farthest(values, at) / -8);
        const factor = inverse(scale);
        putHalf(into, block, scale);
        for (let i = 0; i < 16; i++) {
            const low = level(values[at + i], factor, 8.5, 15);
            const high = level(values[at + 16 + i], factor, 8.5, 15);
            into[block + 2 + i] = low | (high << 4);
        }
    }
}
