/**
 * MXFP4: blocks of 32 values of four bits (E2M1) with a power of two (E8M0) as scale.
 * OCP Microscaling Formats (MX) Specification v1.0.
 *
 * Block, 17 bytes: u8 exponent; 16 bytes of codes, the first 16 values in the low nibbles. The levels here are twice
 * those of E2M1, and the scale is half of the block's, so that both are exact.
 */
const blockBytes = 17;
const levels = Int8Array.of(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
/** Half of 2^(exponent − 127), by exponent. The first two are subnormal float32. */
const halfScales = new Float32Array(Uint32Array.from({ length: 256 }, (_, exponent) => (exponent < 2 ? 0x00200000 << exponent : (exponent - 1) << 23))
    .buffer);
/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeMxfp4(blocks, into) {
    for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
        const scale = halfScales[blocks[block]];
        for (let i = 0; i < 16; i++) {
            const pair = blocks[block + 1 + i];
            into[at + i] = scale * levels[pair & 15];
            into[at + 16 + i] = scale * levels[pair >> 4];
        }
    }
}
