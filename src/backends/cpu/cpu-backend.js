/**
 * The CPU backend: programs as plans of the C runtime, native or WebAssembly.
 *
 * Matrices are packed into panels as they are read, block by block, so a second copy never exists.
 */
import { DisposedError, UnsupportedError } from "../../core/errors.js";
import { storageBytes } from "../../core/storage.js";
import { planGraph } from "../../graph/plan.js";
import { CpuProgram } from "./cpu-program.js";
import { matrixStorageIds } from "./instructions.js";
import { CpuMatrix, CpuPlain, CpuState } from "./memory.js";
/** Bytes of a matrix that are read at a time, about. */
const readBytes = 4 << 20;
/** Rows in a panel of a packed matrix. Whole panels pack fastest. */
const panelRows = 16;
export class CpuBackend {
    runtime;
    matrixStorage = new Set(Object.keys(matrixStorageIds));
    #disposed = false;
    constructor(runtime) {
        this.runtime = runtime;
    }
    get name() {
        return this.runtime.name;
    }
    get instructionSet() {
        return this.runtime.instructionSet;
    }
    get threads() {
        return this.runtime.threads;
    }
    /** @throws UnsupportedError for a storage type that is not in `matrixStorage`; OutOfMemoryError. */
    async loadMatrix(source) {
        this.#requireOpen();
        if (!isPacked(source.storage)) {
            throw new UnsupportedError(`storage type of ${source.name}`, source.storage, [...this.matrixStorage]);
        }
        const [out, width] = source.shape;
        const storage = matrixStorageIds[source.storage];
        const matrix = new CpuMatrix(this.runtime, this.runtime.packedBytes(storage, out, width), source.storage);
        try {
            const rowBytes = storageBytes(source.storage, width);
            const step = Math.min(out, Math.max(1, Math.floor(readBytes / rowBytes / panelRows)) * panelRows);
            const buffer = new Uint8Array(step * rowBytes);
            for (let first = 0; first < out; first += step) {
                const count = Math.min(step, out - first);
                const rows = buffer.subarray(0, count * rowBytes);
                await source.readRows(first, count, rows);
                this.runtime.packRows(matrix.address, rows, storage, [out, width], first, count);
            }
            return matrix;
        }
        catch (error) {
            matrix.dispose();
            throw error;
        }
    }
    loadPlain(values) {
        this.#requireOpen();
        return new CpuPlain(this.runtime, values);
    }
    allocateState(elements) {
        this.#requireOpen();
        return new CpuState(this.runtime, elements);
    }
    compile(_graph, options) {
        this.#requireOpen();
        return new CpuProgram(this.runtime, planGraph(options.outputs), options.resources);
    }
    async dispose() {
        if (this.#disposed)
            return;
        this.#disposed = true;
        await this.runtime.dispose();
    }
    #requireOpen() {
        if (this.#disposed)
            throw new DisposedError("the CPU backend");
    }
}
function isPacked(storage) {
    return Object.hasOwn(matrixStorageIds, storage);
}
