/**
 * Storage types to and from float32, one file per block type.
 *
 * Every result is the same, bit for bit, as that of the Python package `gguf`: float32 operations in its order.
 * Only what that package rounds crudely or not at all, q4_k, q6_k and mxfp4, is quantized by searches of our own.
 */
import { ShapeError, UnsupportedError } from "../../core/errors.js";
import { type StorageType, storageBytes, storageTypes } from "../../core/storage.js";
import { dequantizeIq4Nl } from "./iq4-nl.js";
import { dequantizeIq4Xs } from "./iq4-xs.js";
import { dequantizeMxfp4, quantizeMxfp4 } from "./mxfp4.js";
import * as plain from "./plain.js";
import { dequantizeQ2_K } from "./q2-k.js";
import { dequantizeQ3_K } from "./q3-k.js";
import { dequantizeQ4_0, quantizeQ4_0 } from "./q4-0.js";
import { dequantizeQ4_1, quantizeQ4_1 } from "./q4-1.js";
import { dequantizeQ4_K, quantizeQ4_K } from "./q4-k.js";
import { dequantizeQ5_0, quantizeQ5_0 } from "./q5-0.js";
import { dequantizeQ5_1, quantizeQ5_1 } from "./q5-1.js";
import { dequantizeQ5_K } from "./q5-k.js";
import { dequantizeQ6_K, quantizeQ6_K } from "./q6-k.js";
import { dequantizeQ8_0, quantizeQ8_0 } from "./q8-0.js";

type Dequantize = (bytes: Uint8Array, into: Float32Array) => void;
type Quantize = (values: Float32Array, into: Uint8Array) => void;

const dequantizers: Readonly<Record<StorageType, Dequantize>> = {
  f64: plain.fromF64,
  f32: plain.copyToF32,
  f16: plain.widenF16,
  bf16: plain.widenBf16,
  i64: plain.fromI64,
  i32: plain.fromI32,
  i16: plain.fromI16,
  i8: plain.fromI8,
  u8: plain.fromU8,
  bool: plain.fromU8,
  q4_0: dequantizeQ4_0,
  q4_1: dequantizeQ4_1,
  q5_0: dequantizeQ5_0,
  q5_1: dequantizeQ5_1,
  q8_0: dequantizeQ8_0,
  q2_k: dequantizeQ2_K,
  q3_k: dequantizeQ3_K,
  q4_k: dequantizeQ4_K,
  q5_k: dequantizeQ5_K,
  q6_k: dequantizeQ6_K,
  iq4_nl: dequantizeIq4Nl,
  iq4_xs: dequantizeIq4Xs,
  mxfp4: dequantizeMxfp4,
};

const quantizers: Partial<Readonly<Record<StorageType, Quantize>>> = {
  f32: plain.copyFromF32,
  f16: plain.narrowF16,
  bf16: plain.narrowBf16,
  q4_0: quantizeQ4_0,
  q4_1: quantizeQ4_1,
  q5_0: quantizeQ5_0,
  q5_1: quantizeQ5_1,
  q8_0: quantizeQ8_0,
  q4_k: quantizeQ4_K,
  q6_k: quantizeQ6_K,
  mxfp4: quantizeMxfp4,
};

/** Storage types that `quantize` can make. */
export const quantizableTypes = Object.keys(quantizers) as readonly StorageType[];

/**
 * Turns stored elements into float32.
 *
 * @param bytes - whole blocks of `type`; no alignment required.
 * @param into - [elements], written.
 * @throws ShapeError when `bytes` is not what `into.length` elements take.
 */
export function dequantize(type: StorageType, bytes: Uint8Array, into: Float32Array): void {
  checkSizes(`dequantize ${type}`, type, into.length, bytes.length);
  dequantizers[type](bytes, into);
}

/**
 * Stores float32 values as `type`, rounding as the format prescribes. Values must be finite.
 *
 * @param values - [elements], whole blocks.
 * @param into - the bytes that they take, written.
 * @throws UnsupportedError for a type not in `quantizableTypes`, ShapeError when the sizes do not agree.
 */
export function quantize(type: StorageType, values: Float32Array, into: Uint8Array): void {
  const quantizer = quantizers[type];
  if (quantizer === undefined) throw new UnsupportedError("quantizing to", type, quantizableTypes);
  checkSizes(`quantize ${type}`, type, values.length, into.length);
  quantizer(values, into);
}

function checkSizes(where: string, type: StorageType, elements: number, bytes: number): void {
  const { blockSize } = storageTypes[type];
  if (elements % blockSize === 0 && storageBytes(type, elements) === bytes) return;
  throw new ShapeError(where, `${elements} elements, whole blocks of ${blockSize}`, `${bytes} bytes`);
}
