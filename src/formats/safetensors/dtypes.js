/** The names that safetensors gives to storage types. */
import { UnsupportedError } from "../../core/errors.js";
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
};
const dtypeByStorage = new Map(Object.entries(storageByDtype).map(([dtype, storage]) => [storage, dtype]));
/** @throws UnsupportedError naming the tensor when the package has no such storage type. */
export function storageOfDtype(dtype, tensor) {
    if (Object.hasOwn(storageByDtype, dtype))
        return storageByDtype[dtype];
    throw new UnsupportedError(`tensor ${JSON.stringify(tensor)}: dtype`, dtype, Object.keys(storageByDtype));
}
/** @throws UnsupportedError naming the tensor when safetensors has no such dtype: quantized blocks. */
export function dtypeOfStorage(storage, tensor) {
    const dtype = dtypeByStorage.get(storage);
    if (dtype !== undefined)
        return dtype;
    throw new UnsupportedError(`tensor ${JSON.stringify(tensor)} in safetensors: storage`, storage, [
        ...dtypeByStorage.keys(),
    ]);
}
