/**
 * Q4_K: super-blocks of 256 values in 8 groups of 32, value = d · scale · q − dmin · min.
 *
 * Block, 144 bytes: f16 d; f16 dmin; 12 bytes of six-bit scales and minima; 128 bytes of q, where each 32 bytes hold
 * one group in the low nibbles and the next in the high ones.
 */
import { halfAt, putHalf } from "./block-scale.js";
import { minOf, putScales, scaleOf } from "./k-scales.js";
import { errorWeights, fitRange, type Group, nearest } from "./scale-search.js";

const blockBytes = 144;

/** @param blocks - [n / 256] blocks. @param into - [n], written. */
export function dequantizeQ4_K(blocks: Uint8Array, into: Float32Array): void {
  for (let block = 0, at = 0; at < into.length; block += blockBytes, at += 256) {
    const d = halfAt(blocks, block);
    const dmin = halfAt(blocks, block + 2);
    for (let group = 0; group < 8; group++) {
      const scale = Math.fround(d * scaleOf(blocks, block + 4, group));
      const min = Math.fround(dmin * minOf(blocks, block + 4, group));
      const shift = (group & 1) * 4;
      const from = block + 16 + (group >> 1) * 32;
      const to = at + group * 32;
      for (let i = 0; i < 32; i++) into[to + i] = Math.fround(scale * ((blocks[from + i] >> shift) & 15)) - min;
    }
  }
}

/** @param values - [n], finite. @param into - [n / 256] blocks, written. */
export function quantizeQ4_K(values: Float32Array, into: Uint8Array): void {
  const weights = new Float64Array(256);
  const [scales, mins] = [new Uint8Array(8), new Uint8Array(8)];
  for (let block = 0, at = 0; at < values.length; block += blockBytes, at += 256) {
    errorWeights(values, at, 256, weights);
    const groups = Array.from({ length: 8 }, (_, group): Group => {
      return { values, start: at + 32 * group, weights, first: 32 * group, count: 32 };
    });
    const fits = groups.map((group) => fitRange(group, 15));
    putHalf(into, block, Math.max(...fits.map(({ scale }) => scale)) / 63);
    putHalf(into, block + 2, Math.max(...fits.map(({ min }) => min)) / 63);
    const [d, dmin] = [halfAt(into, block), halfAt(into, block + 2)];
    for (const [i, fit] of fits.entries()) {
      [scales[i], mins[i]] = bestIntegers(groups[i], d, dmin, fit.scale / d, fit.min / dmin);
    }
    putScales(into, block + 4, scales, mins);
    for (const [i, group] of groups.entries()) putLevels(into, block, i, group, d * scales[i], dmin * mins[i]);
  }
}

/** The six-bit scale, then minimum, near those wanted, with the least error once values are rounded to levels. */
function bestIntegers(group: Group, d: number, dmin: number, scale: number, min: number): [number, number] {
  const nearMin = dmin > 0 ? nearest(min, 0, 63) : 0;
  const bestScale = bestNear(d > 0 ? nearest(scale, 0, 63) : 0, (s) => errorOf(group, d * s, dmin * nearMin));
  return [bestScale, bestNear(nearMin, (m) => errorOf(group, d * bestScale, dmin * m))];
}

/** Of `near` and its neighbours from 0 to 63 the one with the least error. */
function bestNear(near: number, errorWith: (integer: number) => number): number {
  let [best, least] = [near, errorWith(near)];
  for (const neighbour of [near - 1, near + 1]) {
    const error = neighbour < 0 || neighbour > 63 ? Number.POSITIVE_INFINITY : errorWith(neighbour);
    if (error < least) [best, least] = [neighbour, error];
  }
  return best;
}

function errorOf({ values, start, weights, first, count }: Group, scale: number, min: number): number {
  const inverse = scale > 0 ? 1 / scale : 0;
  let error = 0;
  for (let i = 0; i < count; i++) {
    const x = values[start + i] + min;
    const rest = x - scale * nearest(x * inverse, 0, 15);
    error += weights[first + i] * rest * rest;
  }
  return error;
}

/** Writes the levels of group `index` into its nibbles. */
function putLevels(into: Uint8Array, block: number, index: number, group: Group, scale: number, min: number): void {
  const inverse = scale > 0 ? 1 / scale : 0;
  const to = block + 16 + (index >> 1) * 32;
  for (let i = 0; i < 32; i++) {
    const q = nearest((group.values[group.start + i] + min) * inverse, 0, 15);
    into[to + i] = index & 1 ? (into[to + i] & 15) | (q << 4) : q;
  }
}
