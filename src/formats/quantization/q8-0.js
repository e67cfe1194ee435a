/**
 * Q8_0: blocks of 32 values, value = scale · q.
 *
 * Block, 34 bytes: f16 scale; 32 signed bytes of q.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { farthest, inverse } from "./level.js";
const blockBytes = 34;
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeQ8_0(blocks, into) {
    const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfAt(blocks, block);
        for (let i = 0; i < 32; i++)
            into[at + i] = scale * signed[block + 2 + i];
    }
}
/** @param values - [n], finite. @param into - [n / 32] blocks, written. */
export function quantizeQ8_0(values, into) {
    for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 32) {
        const scale = Math.fround(Math.abs(farthest(values, at)) / 127);
        const factor = inverse(scale);
        putHalf(into, block, scale);
        for (let i = 0; i < 32; i++)
            into[block + 2 + i] = roundAwayFromZero(Math.fround(values[at + i] * factor));
    }
}
/** To the nearest whole number, halves away from zero: C's `roundf`. The sum is exact for what eight bits hold. */
function roundAwayFromZero(value) {
    return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}
