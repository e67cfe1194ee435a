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
const halfScales = new Float32Array(
  Uint32Array.from({ length: 256 }, (_, exponent) => (exponent < 2 ? 0x00200000 << exponent : (exponent - 1) << 23))
    .buffer,
);

/** @param blocks - [n / 32] blocks. @param into - [n], written. */
export function dequantizeMxfp4(blocks: Uint8Array, into: Float32Array): void {
  for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 32) {
    const scale = halfScales[blocks[block]];
    for (let i = 0; i < 16; i++) {
      const pair = blocks[block + 1 + i];
      into[at + i] = scale * levels[pair & 15];
      into[at + 16 + i] = scale * levels[pair >> 4];
    }
  }
}

/**
 * Of the powers of two around the largest value the one with the least squared error: a larger one leaves nothing out,
 * a smaller one is finer for the rest.
 *
 * @param values - [n], finite. @param into - [n / 32] blocks, written.
 */
export function quantizeMxfp4(values: Float32Array, into: Uint8Array): void {
  for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 32) {
    const exponent = bestExponent(values, at);
    const inverse = 1 / halfScales[exponent];
    into[block] = exponent;
    for (let i = 0; i < 16; i++) {
      into[block + 1 + i] = code(values[at + i] * inverse) | (code(values[at + 16 + i] * inverse) << 4);
    }
  }
}

function bestExponent(values: Float32Array, at: number): number {
  let largest = 0;
  for (let i = at; i < at + 32; i++) largest = Math.max(largest, Math.abs(values[i]));
  if (largest === 0) return 0;
  // With this one the largest value is 4 to 8, of at most 6.
  const usual = 125 + Math.floor(Math.log2(largest));
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let exponent = Math.max(0, usual - 1); exponent <= Math.min(254, Math.max(0, usual + 1)); exponent++) {
    const scale = halfScales[exponent];
    let error = 0;
    for (let i = at; i < at + 32; i++) error += (values[i] - scale * levels[code(values[i] / scale)]) ** 2;
    if (error < least) [best, least] = [exponent, error];
  }
  return best;
}

/** The code of the level nearest to `value`; of two as near the even one, as E2M1 is rounded. */
function code(value: number): number {
  const magnitude = Math.abs(value);
  let found = 0;
  while (found < 7 && (found & 1 ? magnitude >= halfway[found] : magnitude > halfway[found])) found++;
  return value < 0 ? found | 8 : found;
}

/** Between a level and the next. */
const halfway = [0.5, 1.5, 2.5, 3.5, 5, 7, 10];
