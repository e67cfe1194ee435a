/**
 * Groups: how a linear map by a quantized matrix puts numbers together, so that whole groups are integers.
 *
 * Files scale each block of 32 weights by a float. Sums of integers that are rescaled every 32 elements leave matrix
 * units idle, so blocks are put together in groups of about 256 elements: a block's scale becomes an integer multiple of
 * its group's, and a group of activations has one scale. See docs/adr/0009-groups-of-integers.md.
 */
import { halfValues } from "../../core/half.js";
import type { StorageType } from "../../core/storage.js";
import type { Floats } from "../operation.js";

const block = 32;

/** The largest multiple of its group's scale that a block's scale can be, and a block's bytes. */
const grouped = {
  q8_0: { largestMultiple: 255, blockBytes: 34 },
  q4_0: { largestMultiple: 4095, blockBytes: 18 },
} as const;

/** Types that need nothing rounded: their blocks are groups of integers already, or have scales that stay floats. */
const asTheyAre: readonly StorageType[] = ["q4_k", "q6_k", "mxfp4"];

/** Whether a linear map by a matrix of this storage type is computed with integers. */
export function isGrouped(storage: StorageType): boolean {
  return hasRoundedScales(storage) || asTheyAre.includes(storage);
}

/** Whether the scales of its blocks become integer multiples of their group's. */
export function hasRoundedScales(storage: StorageType): storage is keyof typeof grouped {
  return Object.hasOwn(grouped, storage);
}

/** Groups of a row of `width` elements: whole blocks, as near to 256 elements and as even as can be. */
export function groupCount(width: number): number {
  return width < 384 ? 1 : Math.floor((width + 128) / 256);
}

/** The element that each group starts with, and the width at the end. */
export function groupStarts(width: number): number[] {
  const count = groupCount(width);
  return Array.from({ length: count + 1 }, (_, group) => Math.floor(((width / block) * group) / count) * block);
}

/** The values that groups of int8 stand for: scale = max|x| / 127, rounded half away from zero. */
export function roundToInt8Groups(x: Floats, rows: number, width: number): Float64Array {
  const rounded = new Float64Array(rows * width);
  const starts = groupStarts(width);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group + 1 < starts.length; group++) {
      const [from, to] = [row * width + starts[group]!, row * width + starts[group + 1]!];
      let largest = 0;
      for (let i = from; i < to; i++) largest = Math.max(largest, Math.abs(x[i]!));
      const scale = Math.fround(largest / 127);
      const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
      for (let i = from; i < to; i++) {
        const scaled = Math.fround(x[i]! * inverse);
        rounded[i] = Math.sign(scaled) * Math.floor(Math.abs(scaled) + 0.5) * scale;
      }
    }
  }
  return rounded;
}

/**
 * Rounds the scales of blocks to integer multiples of their group's.
 *
 * @param bytes - rows of blocks, as GGUF stores them
 * @param values - what they stand for, row after row of `width`; changed in place
 */
export function roundBlockScales(
  storage: keyof typeof grouped,
  bytes: Uint8Array,
  values: Float32Array,
  width: number,
): void {
  const { largestMultiple, blockBytes } = grouped[storage];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scaleOf = (index: number) => halfValues[view.getUint16(index * blockBytes, true)]!;
  const starts = groupStarts(width).map((start) => start / block);
  for (let row = 0; row < values.length / width; row++) {
    const first = (row * width) / block;
    for (let group = 0; group + 1 < starts.length; group++) {
      let largest = 0;
      const [from, to] = [first + starts[group]!, first + starts[group + 1]!];
      for (let b = from; b < to; b++) largest = Math.max(largest, Math.abs(scaleOf(b)));
      const scale = Math.fround(largest / largestMultiple);
      for (let b = from; b < to; b++) {
        const own = scaleOf(b);
        if (own === 0 || !Number.isFinite(largest)) continue;
        const multiple = scale === 0 ? 0 : Math.fround(own / scale);
        const whole = Math.trunc(Math.fround(multiple + (multiple < 0 ? -0.5 : 0.5)));
        for (let i = b * block; i < (b + 1) * block; i++) values[i] = Math.round(values[i]! / own) * whole * scale;
      }
    }
  }
}
