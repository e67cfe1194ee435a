/**
 * IQ4_NL: blocks of 32 values, value = scale · levels[q], with levels denser near zero.
 *
 * Block, 18 bytes: f16 scale; 16 bytes of q, the first 16 values in the low nibbles, the others in the high ones.
 */
import { halfAt } from "./block-scale.js";
const blockBytes = 18;
/** ggml's `kvalues_iq4nl`. */
export const iq4Levels = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeIq4Nl(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfAt(blocks, block);
        for (let i = 0; i < 16; i++) {
            const pair = blocks[block + 2 + i];
            into[at + i] = scale * iq4Levels[pair & 15];
            into[at + 16 + i] = scale * iq4Levels[pair >> 4];
        }
    }
}
