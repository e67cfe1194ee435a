/** Which storage type each tensor gets in the file that is written. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { InvalidValueError } from "../../core/errors.js";
import { type StorageType, storageTypes } from "../../core/storage.js";
import { fits } from "../lazy-tensors.js";

/** What a checkpoint can be converted to, by target format. */
export const convertTypes = {
  hf: ["f32", "f16", "bf16", "q8_0"],
  gguf: ["f32", "f16", "bf16", "q8_0", "q6_k", "q5_1", "q5_0", "q4_k", "q4_1", "q4_0", "mxfp4"],
} as const satisfies Record<string, readonly StorageType[]>;

export type ConvertTarget = keyof typeof convertTypes;
export type ConvertType = (typeof convertTypes)["gguf"][number];

/** @throws InvalidValueError for a type that the target format cannot hold */
export function checkType(to: ConvertTarget, type: ConvertType | undefined): void {
  const allowed: readonly string[] = convertTypes[to];
  if (type !== undefined && !allowed.includes(type)) {
    const where = to === "hf" ? "a Hugging Face folder" : "GGUF";
    throw new InvalidValueError("type", `one of ${allowed.join(", ")} for ${where}`, type);
  }
}

export function isQuantized(storage: StorageType): boolean {
  return storageTypes[storage].blockSize > 1;
}

const floats: readonly StorageType[] = ["f32", "f16", "bf16"];

/** Types whose blocks of 32 have four bits: too few for what keys and values lose (`bench/LOG.md`). */
const fourBits: readonly StorageType[] = ["q4_0", "q4_1", "mxfp4"];

/** Whether a matrix makes keys or values: small where heads share them, and what is lost in it every later token sees. */
export function isKeyOrValue(name: string): boolean {
  return /^blk\.\d+\.attn_[kv]\.weight$/.test(name);
}

/**
 * As llama.cpp does it: vectors and positions are float32; the output matrix, and the embedding table where that is
 * the output too, get eight bits, beside the K types six; rows that are not whole blocks of 256 get blocks of 32 with
 * eight bits, and those that are no whole blocks of 32 are float16. Beyond that, keys and values get eight bits beside
 * types of four, unless they are already stored in these.
 *
 * @param name - in GGUF
 * @param stored - the type in the checkpoint that is converted
 */
export function ggufStorage(
  name: string,
  tensor: StoredTensor,
  stored: StorageType,
  type: StorageType | undefined,
  tied: boolean,
): StorageType {
  if (tensor.shape.length < 2 || /^(position_embd|rope_)/.test(name)) return "f32";
  const wanted = type ?? (isQuantized(stored) || floats.includes(stored) ? stored : "f32");
  if (!isQuantized(wanted)) return wanted;
  const isOutput = name === "output.weight" || (tied && name === "token_embd.weight");
  const isSensitive = isKeyOrValue(name) && fourBits.includes(wanted) && stored !== wanted;
  const storage = isOutput && type !== undefined ? outputStorage(type) : isSensitive ? "q8_0" : wanted;
  return [storage, "q8_0" as const].find((each) => fits(tensor, each)) ?? "f16";
}

function outputStorage(type: StorageType): StorageType {
  return type === "q4_k" || type === "q6_k" ? "q6_k" : "q8_0";
}

/**
 * safetensors holds no blocks: quantized tensors become float16, whose eleven bits hold what their few bits say. Q8_0,
 * where it is asked for, is taken apart (`compressed-tensors.ts`).
 */
export function huggingFaceStorage(stored: StorageType, type: StorageType | undefined): StorageType {
  if (type !== undefined) return type;
  if (isQuantized(stored)) return "f16";
  return floats.includes(stored) ? stored : "f32";
}

/** The type that most bytes are in. */
export function mainStorage(tensors: readonly StoredTensor[]): StorageType {
  const bytes = new Map<StorageType, number>();
  for (const { storage, byteLength } of tensors) bytes.set(storage, (bytes.get(storage) ?? 0) + byteLength);
  return [...bytes].reduce((most, each) => (each[1] > most[1] ? each : most), ["f32", 0] as [StorageType, number])[0];
}

/** `general.file_type` of GGUF (`llama_ftype`). */
export const ggufFileTypes: Partial<Readonly<Record<StorageType, number>>> = {
  f32: 0,
  f16: 1,
  q4_0: 2,
  q4_1: 3,
  q8_0: 7,
  q5_0: 8,
  q5_1: 9,
  q4_k: 14, // "small": but for the output matrix nothing is in a larger type
  q6_k: 18,
  bf16: 32,
  mxfp4: 38,
};
