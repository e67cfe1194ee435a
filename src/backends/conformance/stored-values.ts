/**
 * Random matrices in every storage type that backends compute with, and what their bits stand for.
 *
 * Bits are drawn first and decoded, never encoded, so nothing here can share a rounding mistake with a loader.
 */
import { InvalidValueError } from "../../core/errors.js";
import { type StorageType, storageBytes, storageTypes } from "../../core/storage.js";
import type { RandomNumbers } from "./random-numbers.js";
import { bfloat16, half, mxfp4Element, q4_kElement, q6_kElement } from "./stored-elements.js";

/** The storage types that this suite can draw. A backend that takes others has to have them added here. */
export const knownStorage = [
  "f32",
  "f16",
  "bf16",
  "q8_0",
  "q4_0",
  "q4_k",
  "q6_k",
  "mxfp4",
] as const satisfies readonly StorageType[];
export type KnownStorage = (typeof knownStorage)[number];

/** Elements of a row must be a multiple of this. */
export function blockOf(storage: KnownStorage): number {
  return storageTypes[storage].blockSize;
}

/** Draws the bytes of `elements` stored elements of magnitude about 1 / 4 (f32: 1). */
export function drawStored(storage: KnownStorage, elements: number, random: RandomNumbers): Uint8Array {
  if (storage === "f32") {
    return new Uint8Array(Float32Array.from({ length: elements }, () => random.normal()).buffer);
  }
  const bytes = new Uint8Array(storageBytes(storage, elements)).map(() => random.below(256));
  const view = new DataView(bytes.buffer);
  const exponent = (at: number, bits: number, clear: number) =>
    view.setUint16(at, (view.getUint16(at, true) & clear) | bits, true);
  if (storage === "f16") for (let i = 0; i < elements; i++) exponent(2 * i, (9 + random.below(6)) << 10, 0x83ff);
  if (storage === "bf16") for (let i = 0; i < elements; i++) exponent(2 * i, (121 + random.below(6)) << 7, 0x807f);
  const { blockBytes } = storageTypes[storage];
  for (const { offset, exponents, signed } of halfScales[storage] ?? []) {
    // Of either sign, as quantizers write them; one block in eight has a zero.
    for (let at = offset; at < bytes.length; at += blockBytes) {
      if (random.below(8) === 0) view.setUint16(at, 0, true);
      else exponent(at, (exponents + random.below(2)) << 10, signed ? 0x83ff : 0x03ff);
    }
  }
  // Exponents from 2^-7 to 2^-4; one block in eight has one of the two whose scale is subnormal.
  if (storage === "mxfp4") {
    for (let at = 0; at < bytes.length; at += blockBytes) {
      bytes[at] = random.below(8) === 0 ? random.below(2) : 121 + random.below(4);
    }
  }
  return bytes;
}

interface HalfScale {
  readonly offset: number;
  /** Of the smaller of two exponents drawn from, as the bits of a half have them. */
  readonly exponents: number;
  readonly signed: boolean;
}

/** Where blocks have half-precision scales, and which give weights of the magnitude wanted. */
const halfScales: Partial<Record<KnownStorage, readonly HalfScale[]>> = {
  q8_0: [{ offset: 0, exponents: 7, signed: false }],
  q4_0: [{ offset: 0, exponents: 7, signed: true }],
  q4_k: [
    { offset: 0, exponents: 4, signed: true },
    { offset: 2, exponents: 6, signed: true },
  ],
  q6_k: [{ offset: 208, exponents: 1, signed: true }],
};

/** The numbers that stored bytes stand for. */
export function decodeStored(storage: StorageType, bytes: Uint8Array, into: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < into.length; i++) into[i] = element(storage, view, i);
}

function element(storage: StorageType, view: DataView, i: number): number {
  const [block, within] = [Math.floor(i / 32), i % 32];
  switch (storage) {
    case "f32":
      return view.getFloat32(4 * i, true);
    case "f16":
      return half(view.getUint16(2 * i, true));
    case "bf16":
      return bfloat16(view.getUint16(2 * i, true));
    case "q8_0":
      return half(view.getUint16(34 * block, true)) * view.getInt8(34 * block + 2 + within);
    case "q4_0": {
      const pair = view.getUint8(18 * block + 2 + (within % 16));
      return half(view.getUint16(18 * block, true)) * ((within < 16 ? pair & 15 : pair >> 4) - 8);
    }
    case "q4_k":
      return q4_kElement(view, i);
    case "q6_k":
      return q6_kElement(view, i);
    case "mxfp4":
      return mxfp4Element(view, i);
    default:
      throw new InvalidValueError("storage", knownStorage.join(", "), storage);
  }
}
