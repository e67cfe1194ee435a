/**
 * Tensors that are worked out while they are read: other rows, transposed, shifted. A converter hands them to a
 * writer, so that no more than one tensor is ever held.
 */
import type { StoredTensor } from "../core/checkpoint.js";
import { storageBytes, storageTypes } from "../core/storage.js";
import { readTensorBytes, readTensorFloats } from "../formats/index.js";

/** Tensors up to this size are read at once where single rows would be read one by one. */
const smallBytes = 4 * 2 ** 20;

/** The same tensor under another name. */
export function withName(tensor: StoredTensor, name: string): StoredTensor {
  const { shape, storage, byteLength } = tensor;
  return { name, shape, storage, byteLength, read: (byteOffset, into) => tensor.read(byteOffset, into) };
}

/** Row `i` of the result is row `source(i)`; of a vector, element `i`. Quantized rows stay as they are. */
export function permutedRows(tensor: StoredTensor, source: (row: number) => number): StoredTensor {
  const rowBytes = tensor.byteLength / tensor.shape[0]!;
  const copyRows = async (byteOffset: number, into: Uint8Array, read: StoredTensor["read"]): Promise<void> => {
    for (let done = 0; done < into.length; ) {
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
      for (let done = 0; done < into.length; ) {
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
export function transposed(tensor: StoredTensor): StoredTensor {
  const [rows, columns] = tensor.shape as [number, number];
  return computed(tensor.name, [columns, rows], async () => {
    const values = await readTensorFloats(tensor);
    const out = new Float32Array(values.length);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column]!;
    }
    return out;
  });
}

/** Every element plus `amount`, as float32. */
export function shifted(tensor: StoredTensor, amount: number): StoredTensor {
  return computed(tensor.name, tensor.shape, async () =>
    (await readTensorFloats(tensor)).map((value) => value + amount),
  );
}

function computed(name: string, shape: readonly number[], compute: () => Promise<Float32Array>): StoredTensor {
  const byteLength = storageBytes(
    "f32",
    shape.reduce((product, extent) => product * extent, 1),
  );
  const whole = held(byteLength, async () => new Uint8Array((await compute()).buffer));
  const read = async (byteOffset: number, into: Uint8Array): Promise<void> => {
    const bytes = await whole(byteOffset + into.length);
    into.set(bytes.subarray(byteOffset, byteOffset + into.length));
  };
  return { name, shape, storage: "f32", byteLength, read };
}

/** Keeps what `make` gives until it has been read to its end: writers read from the start to the end. */
function held(length: number, make: () => Promise<Uint8Array>): (readTo: number) => Promise<Uint8Array> {
  let kept: Promise<Uint8Array> | undefined;
  return (readTo) => {
    kept ??= make();
    const value = kept;
    if (readTo >= length) kept = undefined;
    return value;
  };
}

/** A tensor whose every read is told to `onRead` first, in bytes of the result; `onRead` may throw. */
export function watched(tensor: StoredTensor, onRead: (bytes: number) => void): StoredTensor {
  return {
    ...withName(tensor, tensor.name),
    read: async (byteOffset, into) => {
      onRead(into.length);
      await tensor.read(byteOffset, into);
    },
  };
}

/** Elements of one row. */
export function rowLength(tensor: StoredTensor): number {
  return tensor.shape.at(-1) ?? 1;
}

/** Whether the rows are whole blocks of a storage type. */
export function fits(tensor: StoredTensor, storage: StoredTensor["storage"]): boolean {
  return rowLength(tensor) % storageTypes[storage].blockSize === 0;
}
