/**
 * Random matrices in every storage type that backends compute with, and what their bits stand for.
 *
 * Bits are drawn first and decoded, never encoded, so nothing here can share a rounding mistake with a loader.
 */
import { InvalidValueError } from "../../core/errors.js";
import { type StorageType, storageBytes } from "../../core/storage.js";
import type { RandomNumbers } from "./random-numbers.js";

/** The storage types that this suite can draw. A backend that takes others has to have them added here. */
export const knownStorage = ["f32", "f16", "bf16", "q8_0", "q4_0"] as const satisfies readonly StorageType[];
export type KnownStorage = (typeof knownStorage)[number];

/** Elements of a row must be a multiple of this. */
export function blockOf(storage: KnownStorage): number {
  return storage === "q8_0" || storage === "q4_0" ? 32 : 1;
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
  const blockBytes = { q8_0: 34, q4_0: 18, f16: 0, bf16: 0 }[storage];
  // Block scales between 2^-8 and 2^-6 and of either sign, as quantizers write them; one block in eight is all zero.
  for (let at = 0; blockBytes > 0 && at < bytes.length; at += blockBytes) {
    if (random.below(8) === 0) view.setUint16(at, 0, true);
    else exponent(at, (7 + random.below(2)) << 10, storage === "q4_0" ? 0x83ff : 0x03ff);
  }
  return bytes;
}

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
    default:
      throw new InvalidValueError("storage", knownStorage.join(", "), storage);
  }
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function bfloat16(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}
