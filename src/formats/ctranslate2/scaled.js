import { FormatError } from "../../core/errors.js";
import { storageBytes } from "../../core/storage.js";
import { dequantize } from "../quantization/index.js";
import { readTensorFloats } from "../quantization/tensor.js";
/**
 * `weight` as float32, worked out while it is read.
 *
 * @throws FormatError when the scales are not as many as the weight needs
 */
export function scaled(weight, scale, path) {
    const { name, shape, storage } = weight;
    const items = shape.reduce((product, size) => product * size, 1);
    const scaleCount = scale.shape.reduce((product, size) => product * size, 1);
    const bad = (problem) => new FormatError("CTranslate2", `variable ${JSON.stringify(scale.name)}`, problem, path);
    if (scale.storage !== "f32" || (storage !== "i8" && storage !== "i16"))
        throw bad("does not belong to whole numbers");
    if (scaleCount !== 1 && scaleCount !== shape[0])
        throw bad(`has ${scaleCount} values for ${shape[0]} rows`);
    const rowLength = items / scaleCount;
    let scales;
    async function read(byteOffset, into) {
        scales ??= readTensorFloats(scale);
        const divisors = await scales;
        const first = Math.floor(byteOffset / 4);
        const values = new Float32Array(Math.ceil((byteOffset + into.length) / 4) - first);
        const bytes = new Uint8Array(storageBytes(storage, values.length));
        await weight.read(storageBytes(storage, first), bytes);
        dequantize(storage, bytes, values);
        for (let i = 0; i < values.length; i++)
            values[i] /= divisors[Math.floor((first + i) / rowLength)];
        into.set(new Uint8Array(values.buffer, byteOffset - 4 * first, into.length));
    }
    return { name, shape, storage: "f32", byteLength: 4 * items, read };
}
