import { assert, MissingTensorError, ShapeError, UnsupportedError } from "../core/errors.js";
import { storageBytes } from "../core/storage.js";
/**
 * Finds a parameter of `shape` in a checkpoint; vectors count as one row.
 * @throws MissingTensorError, ShapeError, UnsupportedError
 */
export function locate(checkpoint, name, shape, recipe, toFloats) {
    const [rows, columns] = shape.length === 1 ? [1, shape[0]] : [shape[0], shape[1]];
    if (recipe.computed !== undefined)
        return computedRows(name, rows, columns, recipe.computed);
    const tensor = findTensor(checkpoint, recipe);
    checkStorage(checkpoint, tensor);
    checkShape(checkpoint, tensor, shape, recipe);
    if (recipe.transposed)
        return transposedRows(name, tensor, rows, columns, recipe.rows, toFloats);
    // A vector cut out of a fused vector: its elements are the fused tensor's rows.
    if (shape.length === 1 && recipe.rows !== undefined)
        return gatheredVector(name, tensor, columns, recipe.rows, toFloats);
    return storedRows(name, tensor, rows, columns, recipe.rows);
}
function findTensor(checkpoint, { tensor }) {
    const names = typeof tensor === "string" ? [tensor] : tensor;
    for (const name of names) {
        const found = checkpoint.tensors.get(name);
        if (found !== undefined)
            return found;
    }
    throw new MissingTensorError(names[0], checkpoint.path);
}
/** Whether the checkpoint has what the recipe asks for. */
export function hasTensor(checkpoint, { tensor, computed }) {
    if (computed !== undefined)
        return true;
    return (typeof tensor === "string" ? [tensor] : tensor).some((name) => checkpoint.tensors.has(name));
}
/** Whole numbers are weights only together with scales, which no recipe knows: bitsandbytes, compressed-tensors. */
function checkStorage(checkpoint, { name, storage }) {
    if (/^(i|u)\d+$|^bool$/.test(storage)) {
        throw new UnsupportedError(`${checkpoint.path}: tensor ${name} of type`, storage, ["floats", "GGUF block types"]);
    }
}
function checkShape(checkpoint, tensor, shape, recipe) {
    // [1, n] is how some checkpoints store a vector.
    const stored = tensor.shape.length === 2 && tensor.shape[0] === 1 && shape.length === 1 ? [tensor.shape[1]] : tensor.shape;
    const actual = recipe.transposed ? [...stored].reverse() : stored;
    const loose = recipe.rows !== undefined || recipe.partial === true;
    const first = actual[0] ?? 0;
    const good = actual.length === shape.length &&
        actual.slice(1).every((extent, i) => extent === shape[i + 1]) &&
        (loose ? largestRow(shape[0], recipe) < first : first === shape[0]);
    if (good)
        return;
    const expected = `[${shape.join(", ")}]${loose ? " or more rows" : ""}${recipe.transposed ? " transposed" : ""}`;
    throw new ShapeError(`${checkpoint.path}: tensor ${tensor.name}`, expected, `[${tensor.shape.join(", ")}]`);
}
function largestRow(rows, { rows: map }) {
    let largest = -1;
    for (let row = 0; row < rows; row++)
        largest = Math.max(largest, map?.(row) ?? row);
    return largest;
}
function storedRows(name, tensor, rows, columns, map) {
    const { storage } = tensor;
    const rowBytes = storageBytes(storage, columns);
    assert(Number.isInteger(rowBytes), `${name}: rows of ${columns} are not whole ${storage} blocks`);
    const readRows = async (first, count, into) => {
        for (let row = 0; row < count;) {
            const start = map?.(first + row) ?? first + row;
            let run = 1;
            while (row + run < count && (map?.(first + row + run) ?? first + row + run) === start + run)
                run++;
            await tensor.read(start * rowBytes, into.subarray(row * rowBytes, (row + run) * rowBytes));
            row += run;
        }
    };
    return { name, shape: [rows, columns], storage, readRows };
}
function computedRows(name, rows, columns, compute) {
    const readRows = async (first, count, into) => {
        into.set(new Uint8Array(compute(first, count).buffer));
    };
    return { name, shape: [rows, columns], storage: "f32", readRows };
}
/** Reads the whole tensor once, since its rows are the parameter's columns; let go with its last row. */
function transposedRows(name, tensor, rows, columns, map, toFloats) {
    let whole;
    const stride = tensor.shape[1];
    const readRows = async (first, count, into) => {
        whole ??= readFloats(tensor, toFloats);
        const values = await whole;
        const out = new Float32Array(count * columns);
        for (let row = 0; row < count; row++) {
            const column = map?.(first + row) ?? first + row;
            for (let i = 0; i < columns; i++)
                out[row * columns + i] = values[i * stride + column];
        }
        into.set(new Uint8Array(out.buffer));
        // With the last row, since whoever loads a model holds these objects to the end.
        if (first + count === rows)
            whole = undefined;
    };
    return { name, shape: [rows, columns], storage: "f32", readRows };
}
function gatheredVector(name, tensor, length, map, toFloats) {
    const readRows = async (_first, _count, into) => {
        const values = await readFloats(tensor, toFloats);
        into.set(new Uint8Array(Float32Array.from({ length }, (_, i) => values[map(i)]).buffer));
    };
    return { name, shape: [1, length], storage: "f32", readRows };
}
/** All of a stored tensor as float32. */
export async function readFloats(tensor, toFloats) {
    const bytes = new Uint8Array(tensor.byteLength);
    await tensor.read(0, bytes);
    const values = new Float32Array(tensor.shape.reduce((product, extent) => product * extent, 1));
    toFloats(tensor.storage, bytes, values);
    return values;
}
/** The recipe for a slice of `count` rows from `first` on of a fused tensor. */
export function rowsFrom(tensor, first) {
    return { tensor, rows: (row) => first + row };
}
