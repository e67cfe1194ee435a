import { OutOfRangeError, ShapeError } from "../core/errors.js";
import { storageBytes } from "../core/storage.js";
import { MemorySource } from "./memory-source.js";
/** Bytes moved at a time when a tensor is copied from file to file. */
const copyBytes = 4 * 2 ** 20;
/** A tensor in a byte source. The reader of the format has checked that it lies inside. */
export class SourceTensor {
    name;
    shape;
    storage;
    byteLength;
    source;
    start;
    constructor(name, shape, storage, byteLength, source, start) {
        this.name = name;
        this.shape = shape;
        this.storage = storage;
        this.byteLength = byteLength;
        this.source = source;
        this.start = start;
    }
    async read(byteOffset, into) {
        if (!Number.isSafeInteger(byteOffset) || byteOffset < 0 || byteOffset + into.length > this.byteLength) {
            const allowed = `such that ${into.length} bytes lie within the ${this.byteLength} of tensor ${this.name}`;
            throw new OutOfRangeError("byteOffset", allowed, byteOffset);
        }
        await this.source.read(this.start + byteOffset, into);
    }
}
/**
 * A tensor whose data are in memory, for writers and tests.
 *
 * @param bytes - row-major, in `storage`; any typed array. Not copied.
 * @throws ShapeError when the data are not as long as the shape says.
 */
export function memoryTensor(name, shape, storage, data) {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const expected = storageBytes(storage, shape.reduce((product, size) => product * size, 1));
    if (bytes.length !== expected) {
        throw new ShapeError(`tensor ${name}`, `[${shape}] in ${expected} bytes of ${storage}`, `${bytes.length} bytes`);
    }
    return new SourceTensor(name, shape, storage, bytes.length, new MemorySource(bytes, name), 0);
}
/** All bytes of a tensor, in its storage type. */
export async function readTensorBytes(tensor) {
    const bytes = new Uint8Array(tensor.byteLength);
    await tensor.read(0, bytes);
    return bytes;
}
/** Hands the bytes of a tensor to `write`, a few megabytes at a time, in order. */
export async function copyTensor(tensor, write) {
    const piece = new Uint8Array(Math.min(copyBytes, tensor.byteLength));
    for (let at = 0; at < tensor.byteLength; at += piece.length) {
        const part = piece.subarray(0, Math.min(piece.length, tensor.byteLength - at));
        await tensor.read(at, part);
        await write(part);
    }
}
