import { UnsupportedError } from "../../core/errors.js";
import { storageBytes, storageTypes } from "../../core/storage.js";
import { dequantize, quantizableTypes, quantize } from "./index.js";
/** Elements turned at a time: whole blocks of every type. */
const pieceElements = 2 ** 20;
/**
 * All elements of a tensor as float32, row-major. Besides the result only a piece of the stored bytes is held.
 *
 * @throws what reading the tensor throws.
 */
export async function readTensorFloats(tensor) {
    const values = new Float32Array(elementsOf(tensor));
    await readFloats(tensor, 0, values);
    return values;
}
/** Reads elements from `start`, a multiple of the block size, into `into`. */
async function readFloats(tensor, start, into) {
    if (tensor.storage === "f32") {
        return tensor.read(4 * start, new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
    }
    const bytes = new Uint8Array(storageBytes(tensor.storage, Math.min(pieceElements, into.length)));
    for (let done = 0; done < into.length; done += pieceElements) {
        const values = into.subarray(done, Math.min(done + pieceElements, into.length));
        const piece = bytes.subarray(0, storageBytes(tensor.storage, values.length));
        await tensor.read(storageBytes(tensor.storage, start + done), piece);
        dequantize(tensor.storage, piece, values);
    }
}
/**
 * The same tensor in another storage type, turned while it is read: for writers.
 *
 * @returns `tensor` itself when it already is of that type.
 * @throws UnsupportedError when the type cannot be made, or rows are not whole blocks of it.
 */
export function convertTensor(tensor, storage) {
    if (tensor.storage === storage)
        return tensor;
    const { blockSize, blockBytes } = storageTypes[storage];
    const row = tensor.shape.at(-1) ?? 1;
    if (!quantizableTypes.includes(storage) || row % blockSize !== 0) {
        const actual = `${storage} with rows of ${row}`;
        throw new UnsupportedError(`tensor ${JSON.stringify(tensor.name)}: converting to`, actual, quantizableTypes);
    }
    const elements = elementsOf(tensor);
    const unit = Math.max(blockSize, storageTypes[tensor.storage].blockSize);
    /** Turns whole units that cover the bytes asked for, a piece at a time. */
    async function read(byteOffset, into) {
        for (let done = 0; done < into.length;) {
            const start = Math.floor((Math.floor((byteOffset + done) / blockBytes) * blockSize) / unit) * unit;
            const end = Math.ceil((Math.ceil((byteOffset + into.length) / blockBytes) * blockSize) / unit) * unit;
            const values = new Float32Array(Math.min(pieceElements, end - start, elements - start));
            const bytes = new Uint8Array(storageBytes(storage, values.length));
            await readFloats(tensor, start, values);
            quantize(storage, values, bytes);
            const from = byteOffset + done - storageBytes(storage, start);
            const part = bytes.subarray(from, from + into.length - done);
            into.set(part, done);
            done += part.length;
        }
    }
    return { name: tensor.name, shape: tensor.shape, storage, byteLength: storageBytes(storage, elements), read };
}
function elementsOf(tensor) {
    return tensor.shape.reduce((product, size) => product * size, 1);
}
