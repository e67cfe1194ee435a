import { InternalError } from "../core/errors.js";
import { narrowToHalves } from "../core/half.js";
import { storageBytes, storageTypes } from "../core/storage.js";
import { locate } from "./weights.js";
/**
 * Loads `parameters` that `resources` does not hold yet, and adds them to it.
 * @throws MissingTensorError, ShapeError, and the signal's reason when it is aborted
 */
export async function loadParameters(backend, checkpoint, recipes, parameters, resources, toFloats, options = {}) {
    const wanted = parameters.filter((tensor) => !resources.has(tensor.name));
    const located = locateParameters(checkpoint, recipes, wanted, toFloats);
    const totalBytes = located.reduce((sum, { rows }) => sum + bytesOf(rows), 0);
    let loadedBytes = 0;
    const note = (bytes) => {
        options.signal?.throwIfAborted();
        loadedBytes += bytes;
        options.onProgress?.({ loadedBytes, totalBytes });
    };
    for (const { tensor, recipe, rows } of located) {
        options.signal?.throwIfAborted();
        if (tensor.origin.kind === "parameter" && tensor.origin.layout === "matrix") {
            const source = counted(suitable(backend, rows, toFloats, options), note, bytesOf(rows));
            resources.set(tensor.name, await backend.loadMatrix(source));
        }
        else {
            resources.set(tensor.name, backend.loadPlain(await plainValues(rows, recipe.plus ?? 0, toFloats)));
            note(bytesOf(rows));
        }
    }
}
/** Finds every parameter; nothing is read. @throws MissingTensorError, ShapeError, UnsupportedError */
export function locateParameters(checkpoint, recipes, parameters, toFloats) {
    return parameters.map((tensor) => {
        const recipe = recipes.get(tensor.name);
        if (recipe === undefined)
            throw new InternalError(`no recipe for parameter ${tensor.name}`);
        return { tensor, recipe, rows: locate(checkpoint, tensor.name, tensor.shape, recipe, toFloats) };
    });
}
function bytesOf({ storage, shape: [rows, columns] }) {
    return storageBytes(storage, rows * columns);
}
async function plainValues(rows, plus, toFloats) {
    const bytes = new Uint8Array(bytesOf(rows));
    await rows.readRows(0, rows.shape[0], bytes);
    const values = new Float32Array(rows.shape[0] * rows.shape[1]);
    toFloats(rows.storage, bytes, values);
    return plus === 0 ? values : values.map((value) => value + plus);
}
/** The same rows with every read counted. */
function counted(source, note, totalBytes) {
    const rowBytes = totalBytes / source.shape[0];
    return {
        ...source,
        readRows: async (first, count, into) => {
            await source.readRows(first, count, into);
            note(rowBytes * count);
        },
    };
}
/**
 * The rows in a storage type that the backend computes with: as stored where it can, else float16 for quantized
 * blocks (their few bits fit its eleven) and float32 for plain numbers.
 */
function suitable(backend, rows, toFloats, options) {
    if (backend.matrixStorage.has(rows.storage))
        return rows;
    const to = storageTypes[rows.storage].blockSize > 1 ? "f16" : "f32";
    options.onRepack?.({ parameter: rows.name, from: rows.storage, to });
    const columns = rows.shape[1];
    const readRows = async (first, count, into) => {
        const bytes = new Uint8Array(storageBytes(rows.storage, count * columns));
        await rows.readRows(first, count, bytes);
        const values = new Float32Array(count * columns);
        toFloats(rows.storage, bytes, values);
        if (to === "f32")
            return into.set(new Uint8Array(values.buffer));
        const halves = new Uint16Array(values.length);
        narrowToHalves(values, halves);
        into.set(new Uint8Array(halves.buffer));
    };
    return { ...rows, storage: to, readRows };
}
