/**
 * Q6_K: super-blocks of 256 values in 16 groups of 16, value = d · scale · (q − 32).
 *
 * Block, 210 bytes: 128 bytes of the lower four bits; 64 bytes of the upper two; 16 signed scales; f16 d. Each half
 * of 128 values takes 64 and 32 of those bytes, and is stored as four rows of 32.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { errorWeights, fitScale, type Group, nearest } from "./scale-search.js";

const blockBytes = 210;

/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ6_K(blocks: Uint8Array, into: Float32Array): void {
  const signed = new Int8Array(blocks.buffer, blocks.byteOffset, blocks.length);
  for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
    const d = halfAt(blocks, block + 208);
    for (let group = 0; group < 16; group++) {
      const scale = Math.fround(d * signed[block + 192 + group]);
      const half = group >> 3;
      const row = (group >> 1) & 3;
      const within = (group & 1) * 16;
      const low = block + half * 64 + (row & 1) * 32 + within;
      const high = block + 128 + half * 32 + within;
      const lowShift = (row >> 1) * 4;
      const highShift = row * 2;
      const to = at + group * 16;
      for (let i = 0; i < 16; i++) {
        const q = ((blocks[low + i] >> lowShift) & 15) | (((blocks[high + i] >> highShift) & 3) << 4);
        into[to + i] = scale * (q - 32);
      }
    }
  }
}

/** @param values - [n], finite. @param into - [n / 256] blocks, written. */
export function quantizeQ6_K(values: Float32Array, into: Uint8Array): void {
  const weights = new Float64Array(256);
  const levels = new Uint8Array(256);
  for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 256) {
    errorWeights(values, at, 256, weights);
    const groups = Array.from({ length: 16 }, (_, group): Group => {
      return { values, start: at + 16 * group, weights, first: 16 * group, count: 16 };
    });
    const fits = groups.map((group) => fitScale(group, 32));
    // The largest scale becomes the one integer that has no counterpart.
    const largest = fits.reduce((most, scale) => (Math.abs(scale) > Math.abs(most) ? scale : most), 0);
    putHalf(into, block + 208, largest / -128);
    const d = halfAt(into, block + 208);
    for (const [i, group] of groups.entries()) {
      const scale = d === 0 ? 0 : bestInteger(group, d, fits[i] / d);
      into[block + 192 + i] = scale;
      roundGroup(group, d * scale, levels);
    }
    putLevels(into, block, levels);
  }
}

/** The eight-bit scale, near the one wanted, with the least error once values are rounded to levels. */
function bestInteger(group: Group, d: number, wanted: number): number {
  const near = nearest(wanted, -128, 127);
  let [best, least] = [near, Number.POSITIVE_INFINITY];
  for (let scale = Math.max(-128, near - 1); scale <= Math.min(127, near + 1); scale++) {
    const error = roundGroup(group, d * scale);
    if (error < least) [best, least] = [scale, error];
  }
  return best;
}

/** Rounds a group to levels from 0 to 63, written where `into` is given. @returns the weighted squared error */
function roundGroup({ values, start, weights, first, count }: Group, scale: number, into?: Uint8Array): number {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let error = 0;
  for (let i = 0; i < count; i++) {
    const x = values[start + i];
    const q = nearest(x * inverse, -32, 31);
    if (into !== undefined) into[first + i] = q + 32;
    error += weights[first + i] * (x - scale * q) ** 2;
  }
  return error;
}

/** Writes 256 levels: four bits of each in one place, two in another. */
function putLevels(into: Uint8Array, block: number, levels: Uint8Array): void {
  for (let half = 0; half < 2; half++) {
    for (let i = 0; i < 32; i++) {
      const [a, b, c, d] = [0, 32, 64, 96].map((row) => levels[128 * half + row + i]);
      into[block + 64 * half + i] = (a & 15) | ((c & 15) << 4);
      into[block + 64 * half + 32 + i] = (b & 15) | ((d & 15) << 4);
      into[block + 128 + 32 * half + i] = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6);
    }
  }
}
