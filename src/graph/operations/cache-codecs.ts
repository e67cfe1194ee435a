/**
 * How keys and values lie in the blocks of a KV cache: as they are, rounded, or as small integers with scales.
 *
 * A codec encodes each token's vector of each head by itself, when it is written, and every reader sees the decoded
 * numbers. So what a cache gives never depends on how tokens were grouped into runs or what else a block holds, and
 * cutting a sequence off is forgetting its end.
 *
 * A block lies [keyValueHead][head part]. A part has what the codec keeps about each position, then the elements: of
 * keys [headDim][blockSize], so that neighbouring positions are neighbours in memory, of values [blockSize][headDim].
 *
 * - `f32`, `f16`, `bf16`: an element is the nearest number of that type, ties to even.
 * - `int8`: a scale d for each position, half [blockSize], d = max |x| / 127; an element is the whole number nearest to
 *   x / d, one byte. Stands for n · d.
 * - `int4`: for each group of 32 elements (the last may be smaller) halves d [blockSize], then m [blockSize]:
 *   m = min x, d = (max x − m) / 15, at least 0; an element is the whole number nearest to (x − m) / d, from 0 to 15. Stands for
 *   n · d + m. A byte holds two: of a group of g, element j in the low half and element j + ⌈g / 2⌉ in the high one, so
 *   that no byte belongs to two tokens.
 *
 * Each step is computed in float32; scales and minima are rounded to halves before they are used, to ±65504 at most.
 * Affine integers by token: Sheng et al., 2023 (arXiv:2303.06865), §4; Liu et al., 2024 (arXiv:2402.02750).
 */
import { halfValues, narrowToBfloats, narrowToHalves, toHalf } from "../../core/half.js";

/** In the order of `HH_CACHE_…` in `kernels/cache_codecs.h`. */
export const cacheCodecs = ["f32", "f16", "bf16", "int8", "int4"] as const;
export type CacheCodec = (typeof cacheCodecs)[number];

/** What the caches of a model's layers hold. */
export interface CacheCodecs {
  readonly keys: CacheCodec;
  readonly values: CacheCodec;
}

export const plainCache: CacheCodecs = { keys: "f32", values: "f32" };

/** Positions in a block of every codec's. */
const positions = 16;
/** Elements that share a scale and a minimum in `int4`. */
const groupSize = 32;

export type CacheRole = "key" | "value";

/** A stretch of a cache's memory, seen as numbers of several sizes. */
export interface CacheBytes {
  readonly floats: Float32Array;
  readonly shorts: Uint16Array;
  readonly bytes: Uint8Array;
}

export function cacheBytes({ buffer, byteOffset, byteLength }: Float32Array): CacheBytes {
  return {
    floats: new Float32Array(buffer, byteOffset, byteLength >>> 2),
    shorts: new Uint16Array(buffer, byteOffset, byteLength >>> 1),
    bytes: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

/** One head's vector at one position: which part of the cache, by its first byte, and where in it. */
export interface CachePlace {
  readonly part: number;
  readonly role: CacheRole;
  readonly headDim: number;
  /** Position within the block. */
  readonly offset: number;
}

interface Codec {
  /** Bytes of one head's part of a block: a multiple of 16. */
  partBytes(headDim: number): number;
  /** @param x - [headDim] */
  write(memory: CacheBytes, place: CachePlace, x: Float32Array): void;
  /** @param into - [headDim] */
  read(memory: CacheBytes, place: CachePlace, into: Float32Array): void;
}

/** Index of an element among those of its part. */
function elementIndex({ role, headDim, offset }: CachePlace, element: number): number {
  return role === "key" ? element * positions + offset : offset * headDim + element;
}

const f32: Codec = {
  partBytes: (headDim) => 4 * positions * headDim,
  write({ floats }, place, x) {
    for (let i = 0; i < place.headDim; i++) floats[place.part / 4 + elementIndex(place, i)] = x[i]!;
  },
  read({ floats }, place, into) {
    for (let i = 0; i < place.headDim; i++) into[i] = floats[place.part / 4 + elementIndex(place, i)]!;
  },
};

function shortFloats(narrow: (values: Float32Array, into: Uint16Array) => void, widen: (bits: number) => number) {
  return {
    partBytes: (headDim) => 2 * positions * headDim,
    write({ shorts }, place, x) {
      const narrowed = new Uint16Array(place.headDim);
      narrow(x, narrowed);
      for (let i = 0; i < place.headDim; i++) shorts[place.part / 2 + elementIndex(place, i)] = narrowed[i]!;
    },
    read({ shorts }, place, into) {
      for (let i = 0; i < place.headDim; i++) into[i] = widen(shorts[place.part / 2 + elementIndex(place, i)]!);
    },
  } satisfies Codec;
}

const wideBits = new Uint32Array(1);
const wide = new Float32Array(wideBits.buffer);
function widenBfloat(bits: number): number {
  wideBits[0] = bits << 16;
  return wide[0]!;
}

const largestHalf = 65504;
/** The bits of the nearest half, of a finite one. */
function halfOf(value: number): number {
  return toHalf(Math.min(largestHalf, Math.max(-largestHalf, value)));
}

/** The nearest whole number, ties to even, of a float32 far below 2²². */
function nearest(value: number): number {
  return Math.fround(value + 12582912) - 12582912;
}

const int8: Codec = {
  partBytes: (headDim) => 2 * positions + positions * headDim,
  write({ shorts, bytes }, place, x) {
    let largest = 0;
    for (let i = 0; i < place.headDim; i++) largest = Math.max(largest, Math.abs(x[i]!));
    const scale = halfOf(Math.fround(largest / 127));
    shorts[place.part / 2 + place.offset] = scale;
    const divisor = halfValues[scale]! || 1;
    for (let i = 0; i < place.headDim; i++) {
      const steps = Math.min(127, Math.max(-127, Math.fround(x[i]! / divisor)));
      bytes[place.part + 2 * positions + elementIndex(place, i)] = nearest(steps);
    }
  },
  read({ shorts, bytes }, place, into) {
    const scale = halfValues[shorts[place.part / 2 + place.offset]!]!;
    for (let i = 0; i < place.headDim; i++) {
      into[i] = ((bytes[place.part + 2 * positions + elementIndex(place, i)]! << 24) >> 24) * scale;
    }
  },
};

interface Group {
  readonly first: number;
  readonly size: number;
  /** ⌈size / 2⌉ */
  readonly half: number;
  /** Bytes of one position before this group's. */
  readonly bytesBefore: number;
}

function groupsOf(headDim: number): Group[] {
  return Array.from({ length: Math.ceil(headDim / groupSize) }, (_, index) => {
    const first = index * groupSize;
    const size = Math.min(groupSize, headDim - first);
    return { first, size, half: Math.ceil(size / 2), bytesBefore: first / 2 };
  });
}

/** Bytes that one position's elements take. */
function pairBytes(headDim: number): number {
  return groupsOf(headDim).reduce((sum, { half }) => sum + half, 0);
}

/** Where the byte of a group's element `j` (or `j` + half) lies. */
function pairIndex({ part, role, headDim, offset }: CachePlace, { bytesBefore }: Group, j: number): number {
  const elements = part + 4 * positions * Math.ceil(headDim / groupSize);
  const at = bytesBefore + j;
  return elements + (role === "key" ? at * positions + offset : offset * pairBytes(headDim) + at);
}

const int4: Codec = {
  partBytes: (headDim) => 4 * positions * Math.ceil(headDim / groupSize) + positions * pairBytes(headDim),
  write({ shorts, bytes }, place, x) {
    for (const [index, group] of groupsOf(place.headDim).entries()) {
      const members = x.subarray(group.first, group.first + group.size);
      // Plus 0: which of two zeros is the smaller one is not said.
      const least = halfOf(members.reduce((a, b) => Math.min(a, b)) + 0);
      const largest = members.reduce((a, b) => Math.max(a, b));
      const from = halfValues[least]!;
      const scale = halfOf(largest > from ? Math.fround(Math.fround(largest - from) / 15) : 0);
      const at = place.part / 2 + 2 * positions * index + place.offset;
      shorts[at] = scale;
      shorts[at + positions] = least;
      const divisor = halfValues[scale]! || 1;
      for (let j = 0; j < group.half; j++) {
        const code = (element: number) => {
          if (element >= group.size) return 0;
          const steps = Math.fround(Math.fround(members[element]! - from) / divisor);
          return nearest(Math.min(15, Math.max(0, steps)));
        };
        bytes[pairIndex(place, group, j)] = code(j) | (code(j + group.half) << 4);
      }
    }
  },
  read({ shorts, bytes }, place, into) {
    for (const [index, group] of groupsOf(place.headDim).entries()) {
      const at = place.part / 2 + 2 * positions * index + place.offset;
      const [scale, least] = [halfValues[shorts[at]!]!, halfValues[shorts[at + positions]!]!];
      for (let element = 0; element < group.size; element++) {
        const high = element >= group.half;
        const pair = bytes[pairIndex(place, group, high ? element - group.half : element)]!;
        into[group.first + element] = (high ? pair >>> 4 : pair & 15) * scale + least;
      }
    }
  },
};

export const cacheCodecOf: Readonly<Record<CacheCodec, Codec>> = {
  f32,
  f16: shortFloats(narrowToHalves, (bits) => halfValues[bits]!),
  bf16: shortFloats(narrowToBfloats, widenBfloat),
  int8,
  int4,
};

/** Bytes of one head's part of a block. */
export function cachePartBytes(codec: CacheCodec, headDim: number): number {
  return cacheCodecOf[codec].partBytes(headDim);
}

/** Float32-sized words of a block of keys or values: the width of its state. */
export function cacheBlockWords(codec: CacheCodec, keyValueHeadCount: number, headDim: number): number {
  return (keyValueHeadCount * cachePartBytes(codec, headDim)) / 4;
}
