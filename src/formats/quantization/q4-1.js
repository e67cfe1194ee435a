/**
 * Q4_1: blocks of 32 values, value = scale · q + min.
 *
 * Block, 20 bytes: f16 scale; f16 min; 16 bytes of q, the first 16 values in the low nibbles.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { inverse, level, range } from "./level.js";
const blockBytes = 20;
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeQ4_1(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfAt(blocks, block);
        const min = halfAt(blocks, block + 2);
        for (let i = 0; i < 16; i++) {
            const pair = blocks[block + 4 + i];
            into[at + i] = Math.fround(scale * (pair & 15)) + min;
            into[at + 16 + i] = Math.fround(scale * (pair >> 4)) + min;
        }
    }
}
/** @param values - [n], finite. @param into - [n / 32] blocks, written. */
export function quantizeQ4_1(values, into) {
    for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 32) {
        const { min, max } = range(values, at);
        const scale = Math.fround(Math.fround(max - min) / 15);
        const factor = inverse(scale);
        putHalf(into, block, scale);
        putHalf(into, block + 2, min);
        for (let i = 0; i < 16; i++) {
            const low = level(Math.fround(values[at + i] - min), factor, 0.5, 15);
            const high = level(Math.fround(values[at + 16 + i] - min), factor, 0.5, 15);
            into[block + 4 + i] = low | (high << 4);
        }
    }
}
