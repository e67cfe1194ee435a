/** The names that safetensors gives to storage types. */
import { UnsupportedError } from "../../core/errors.js";
import type { StorageType } from "../../core/storage.js";

const storageByDtype = {
  F64: "f64",
  F32: "f32",
  F16: "f16",
  BF16: "bf16",
  I64: "i64",
  I32: "i32",
  I16: "i16",
  I8: "i8",
  U8: "u8",
  BOOL: "bool",
} as const satisfies Record<string, StorageType>;

export type SafetensorsDtype = keyof typeof storageByDtype;

const dtypeByStorage = new Map<StorageType, SafetensorsDtype>(
  Object.entries(storageByDtype).map(([dtype, storage]) => [storage, dtype as SafetensorsDtype]),
);

/** @throws UnsupportedError naming the tensor when the package has no such storage type. */
export function storageOfDtype(dtype: string, tensor: string): StorageType {
  if (Object.hasOwn(storageByDtype, dtype)) return storageByDtype[dtype as SafetensorsDtype];
  throw new UnsupportedError(`tensor ${JSON.stringify(tensor)}: dtype`, dtype, Object.keys(storageByDtype));
}

/** @throws UnsupportedError naming the tensor when safetensors has no such dtype: quantized blocks. */
export function dtypeOfStorage(storage: StorageType, tensor: string): SafetensorsDtype {
  const dtype = dtypeByStorage.get(storage);
  if (dtype !== undefined) return dtype;
  throw new UnsupportedError(`tensor ${JSON.stringify(tensor)} in safetensors: storage`, storage, [
    ...dtypeByStorage.keys(),
  ]);
}
