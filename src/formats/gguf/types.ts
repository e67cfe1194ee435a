/** Numbers and names of GGUF's types: tensors (ggml `enum ggml_type`) and metadata (`enum gguf_type`). */
import type { StorageType } from "../../core/storage.js";

/** Tensor types that this package stores, by their number in the file. */
export const storageByNumber: ReadonlyMap<number, StorageType> = new Map([
  [0, "f32"],
  [1, "f16"],
  [2, "q4_0"],
  [3, "q4_1"],
  [6, "q5_0"],
  [7, "q5_1"],
  [8, "q8_0"],
  [10, "q2_k"],
  [11, "q3_k"],
  [12, "q4_k"],
  [13, "q5_k"],
  [14, "q6_k"],
  [20, "iq4_nl"],
  [23, "iq4_xs"],
  [24, "i8"],
  [25, "i16"],
  [26, "i32"],
  [27, "i64"],
  [28, "f64"],
  [30, "bf16"],
  [39, "mxfp4"],
]);

export const numberByStorage: ReadonlyMap<StorageType, number> = new Map(
  [...storageByNumber].map(([number, storage]) => [storage, number]),
);

/** Tensor types that exist but are not supported, by number: so that the refusal can name them. */
const foreignTensorTypes: Readonly<Record<number, string>> = {
  4: "Q4_2",
  5: "Q4_3",
  9: "Q8_1",
  15: "Q8_K",
  16: "IQ2_XXS",
  17: "IQ2_XS",
  18: "IQ3_XXS",
  19: "IQ1_S",
  21: "IQ3_S",
  22: "IQ2_S",
  29: "IQ1_M",
  34: "TQ1_0",
  35: "TQ2_0",
  40: "NVFP4",
  41: "Q1_0",
};

/** What to call a tensor type that is not supported. */
export function foreignTypeName(number: number): string {
  return foreignTensorTypes[number] ?? `type ${number}`;
}

/** Numeric metadata types and the bytes that each takes. */
export const numberBytes = {
  u8: 1,
  i8: 1,
  u16: 2,
  i16: 2,
  u32: 4,
  i32: 4,
  u64: 8,
  i64: 8,
  f32: 4,
  f64: 8,
} as const;

export type GgufNumberType = keyof typeof numberBytes;
export type GgufElementType = GgufNumberType | "bool" | "string" | "array";

/** Metadata types by their number in the file. */
export const elementTypes: readonly GgufElementType[] = [
  "u8",
  "i8",
  "u16",
  "i16",
  "u32",
  "i32",
  "f32",
  "bool",
  "string",
  "array",
  "u64",
  "i64",
  "f64",
];

/** The type of numeric metadata in memory; 64-bit integers are numbers where a double holds them all exactly. */
export type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** An array of metadata. Booleans are bytes, 0 or 1. */
export type GgufArray =
  | { readonly type: "array"; readonly of: GgufNumberType; readonly value: GgufNumbers }
  | { readonly type: "array"; readonly of: "bool"; readonly value: Uint8Array }
  | { readonly type: "array"; readonly of: "string"; readonly value: readonly string[] }
  | { readonly type: "array"; readonly of: "array"; readonly value: readonly GgufArray[] };

/** One value of metadata with its type in the file. A 64-bit integer is a bigint only past ±(2⁵³ − 1). */
export type GgufValue =
  | { readonly type: GgufNumberType; readonly value: number | bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | GgufArray;
