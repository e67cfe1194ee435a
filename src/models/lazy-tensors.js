import { storageBytes, storageTypes } from "../core/storage.js";
import { readTensorBytes, readTensorFloats } from "../formats/index.js";
/** Tensors up to this size are read at once where single rows would be read one by one. */
const smallBytes = 4 * 2 ** 20;
/** The same tensor under another name. */
export function withName(tensor, name) {
    const { shape, storage, byteLength } = tensor;
    return { name, shape, storage, byteLength, read: (byteOffset, into) => tensor.read(byteOffset, into) };
}
/** Row `i` of the result is row `source(i)`; of a vector, element `i`. Quantized rows stay as they are. */
export function permutedRows(tensor, source) {
    const rowBytes = tensor.byteLength / tensor.shape[0];
    const copyRows = async (byteOffset, into, read) => {
        for (let done = 0; done < into.length;) {
            const row = Math.floor((byteOffset + done) / rowBytes);
            const within = byteOffset + done - row * rowBytes;
            const length = Math.min(rowBytes - within, into.length - done);
            await read(source(row) * rowBytes + within, into.subarray(done, done + length));
            done += length;
        }
    };
    if (tensor.byteLength > smallBytes) {
        return {
            ...withName(tensor, tensor.name),
            read: (at, into) => copyRows(at, into, (from, to) => tensor.read(from, to)),
        };
    }
    const whole = held(tensor.byteLength, () => readTensorBytes(tensor));
    return {
        ...withName(tensor, tensor.name),
        read: async (at, into) => {
            const bytes = await whole(at + into.length);
            for (let done = 0; done < into.length;) {
                const row = Math.floor((at + done) / rowBytes);
                const within = at + done - row * rowBytes;
                const length = Math.min(rowBytes - within, into.length - done);
                const start = source(row) * rowBytes + within;
                into.set(bytes.subarray(start, start + length), done);
                done += length;
            }
        },
    };
}
/** A matrix with rows and columns exchanged, as float32. */
export function transposed(tensor) {
    const [rows, columns] = tensor.shape;
    return computed(tensor.name, [columns, rows], async () => {
        const values = await readTensorFloats(tensor);
        const out = new Float32Array(values.length);
        for (let row = 0; row < rows; row++) {
            for (let column = 0; column < columns; column++)
                out[column * rows + row] = values[row * columns + column];
        }
        return out;
    });
}
/** Every element plus `amount`, as float32. */
export function shifted(tensor, amount) {
    return computed(tensor.name, tensor.shape, async () => (await readTensorFloats(tensor)).map((value) => value + amount));
}
function computed(name, shape, compute) {
    const byteLength = storageBytes("f32", shape.reduce((product, extent) => product * extent, 1));
    const whole = held(byteLength, async () => new Uint8Array((await compute()).buffer));
    const read = async (byteOffset, into) => {
        const bytes = await whole(byteOffset + into.length);
        into.set(bytes.subarray(byteOffset, byteOffset + into.length));
    };
    return { name, shape, storage: "f32", byteLength, read };
}
/** Keeps what `make` gives until it has been read to its end: writers read from the start to the end. */
function held(length, make) {
    let kept;
    return (readTo) => {
        kept ??= make();
        const value = kept;
        if (readTo >= length)
            kept = undefined;
        return value;
    };
}
/** A tensor whose every read is told to `onRead` first, in bytes of the result; `onRead` may throw. */
export function watched(tensor, onRead) {
    return {
        ...withName(tensor, tensor.name),
        read: async (byteOffset, into) => {
            onRead(into.length);
            await tensor.read(byteOffset, into);
        },
    };
}
/** Elements of one row. */
export function rowLength(tensor) {
    return tensor.shape.at(-1) ?? 1;
}
/** Whether the rows are whole blocks of a storage type. */
export function fits(tensor, storage) {
    return rowLength(tensor) % storageTypes[storage].blockSize === 0;
}
