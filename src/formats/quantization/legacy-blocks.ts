/** What the block types of 32 values share: f16 scales, and rounding to a few bits. */
import { halfValues, toHalf } from "../../core/half.js";

/** The f16 at byte `at`, as float32. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return halfValues[bytes[at] | (bytes[at + 1] << 8)];
}

/** Stores the f16 nearest to `value` at byte `at`. */
export function putHalf(bytes: Uint8Array, at: number, value: number): void {
  const half = toHalf(value);
  bytes[at] = half & 0xff;
  bytes[at + 1] = half >>> 8;
}

/** 1 / scale in float32, and 0 for a scale of zero. */
export function inverse(scale: number): number {
  return scale === 0 ? 0 : Math.fround(1 / scale);
}

/** The value of 32 at `start` that is farthest from zero, the first of those that tie; with its sign. */
export function farthest(values: Float32Array, start: number): number {
  let found = values[start];
  for (let i = start + 1; i < start + 32; i++) if (Math.abs(values[i]) > Math.abs(found)) found = values[i];
  return found;
}

/** The least and the greatest of 32 values at `start`. */
export function range(values: Float32Array, start: number): { readonly min: number; readonly max: number } {
  let min = values[start];
  let max = min;
  for (let i = start + 1; i < start + 32; i++) {
    if (values[i] < min) min = values[i];
    if (values[i] > max) max = values[i];
  }
  return { min, max };
}

/** `trunc(value × factor + offset)` in float32, at most `most`: how the GGUF types round to unsigned levels. */
export function level(value: number, factor: number, offset: number, most: number): number {
  return Math.min(most, Math.trunc(Math.fround(Math.fround(value * factor) + offset)));
}
