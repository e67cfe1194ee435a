/**
 * Q5_1: blocks of 32 values, value = scale · q + min.
 *
 * Block, 24 bytes: f16 scale; f16 min; u32 of fifth bits, bit i for value i; 16 bytes of low nibbles, as in Q4_0.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { inverse, level, range } from "./level.js";
const blockBytes = 24;
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeQ5_1(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfAt(blocks, block);
        const min = halfAt(blocks, block + 2);
        const lowHigh = blocks[block + 4] | (blocks[block + 5] << 8);
        const highHigh = blocks[block + 6] | (blocks[block + 7] << 8);
        for (let i = 0; i < 16; i++) {
            const pair = blocks[block + 8 + i];
            into[at + i] = Math.fround(scale * ((pair & 15) | (((lowHigh >> i) & 1) << 4))) + min;
            into[at + 16 + i] = Math.fround(scale * ((pair >> 4) | (((highHigh >> i) & 1) << 4))) + min;
        }
    }
}
/** @param values - [n], finite. @param into - [n / 32] blocks, written. */
export function quantizeQ5_1(values, into) {
    for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 32) {
        const { min, max } = range(values, at);
        const scale = Math.fround(Math.fround(max - min) / 31);
        const factor = inverse(scale);
        putHalf(into, block, scale);
        putHalf(into, block + 2, min);
        let fifthBits = 0;
        for (let i = 0; i < 16; i++) {
            const low = level(Math.fround(values[at + i] - min), factor, 0.5, 31);
            const high = level(Math.fround(values[at + 16 + i] - min), factor, 0.5, 31);
            into[block + 8 + i] = (low & 15) | ((high & 15) << 4);
            fifthBits |= ((low >> 4) << i) | ((high >> 4) << (i + 16));
        }
        for (let i = 0; i < 4; i++)
            into[block + 4 + i] = (fifthBits >>> (8 * i)) & 0xff;
    }
}
