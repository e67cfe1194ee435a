/**
 * Q5_0: blocks of 32 values, value = scale · (q − 16).
 *
 * Block, 22 bytes: f16 scale; u32 of fifth bits, bit i for value i; 16 bytes of low nibbles, as in Q4_0.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { farthest, inverse, level } from "./level.js";
const blockBytes = 22;
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeQ5_0(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfAt(blocks, block);
        const lowHigh = blocks[block + 2] | (blocks[block + 3] << 8);
        const highHigh = blocks[block + 4] | (blocks[block + 5] << 8);
        for (let i = 0; i < 16; i++) {
            const pair = blocks[block + 6 + i];
            into[at + i] = scale * (((pair & 15) | (((lowHigh >> i) & 1) << 4)) - 16);
            into[at + 16 + i] = scale * (((pair >> 4) | (((highHigh >> i) & 1) << 4)) - 16);
        }
    }
}
/** @param values - [n], finite. @param into - [n / 32] blocks, written. */
export function quantizeQ5_0(values, into) {
    for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 32) {
        const scale = Math.fround(farthest(values, at) / -16);
        const factor = inverse(scale);
        putHalf(into, block, scale);
        let fifthBits = 0;
        for (let i = 0; i < 16; i++) {
            const low = level(values[at + i], factor, 16.5, 31);
            const high = level(values[at + 16 + i], factor, 16.5, 31);
            into[block + 6 + i] = (low & 15) | ((high & 15) << 4);
            fifthBits |= ((low >> 4) << i) | ((high >> 4) << (i + 16));
        }
        for (let i = 0; i < 4; i++)
            into[block + 2 + i] = (fifthBits >>> (8 * i)) & 0xff;
    }
}
