/**
 * IQ4_XS: super-blocks of 256 values in 8 groups of 32, value = d · (scale − 32) · levels[q], levels as in IQ4_NL.
 *
 * Block, 136 bytes: f16 d; u16 of the scales' upper two bits; 4 bytes of their lower four; 128 bytes of q, 16 a group,
 * its first 16 values in the low nibbles.
 */
import { halfAt } from "./block-scale.js";
import { iq4Levels } from "./iq4-nl.js";
const blockBytes = 136;
/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeIq4Xs(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
        const d = halfAt(blocks, block);
        const upperBits = blocks[block + 2] | (blocks[block + 3] << 8);
        for (let group = 0; group < 8; group++) {
            const lower = (blocks[block + 4 + (group >> 1)] >> ((group & 1) * 4)) & 15;
            const scale = Math.fround(d * ((lower | (((upperBits >> (2 * group)) & 3) << 4)) - 32));
            const from = block + 8 + group * 16;
            const to = at + group * 32;
            for (let i = 0; i < 16; i++) {
                const pair = blocks[from + i];
                into[to + i] = scale * iq4Levels[pair & 15];
                into[to + 16 + i] = scale * iq4Levels[pair >> 4];
            }
        }
    }
}
