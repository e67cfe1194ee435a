/**
 * The CPU runtime as WebAssembly: one shared memory of up to 4 GiB, one instance of the module for each thread.
 *
 * Memory is always declared shared, also for one thread: its views then stay valid when it grows. A page that is not
 * cross-origin isolated can have such memory too; it only cannot hand it to workers, so it has one thread.
 */
import { assert, DisposedError, OutOfMemoryError, OutOfRangeError, UnsupportedError } from "../../core/errors.js";
import { wasmInstructionSets } from "./wasm-host.js";
/** The numbers of the instruction sets in `kernels/hitherto.h`. */
const instructionSetNumbers = { simd128: 1, relaxed_simd: 2 };
const pageBytes = 65536;
/** Pages that the modules start with: their data and the first thread's stack; see the link flags in `tools/`. */
const initialPages = 32;
/** Most pages to ask for; a host that cannot reserve so much address space is asked for less. */
const maximumPages = [65536, 32768, 16384, 8192];
const stackBytes = 1 << 20;
const stagingBytes = 1 << 20;
/** @throws UnsupportedError when `options.instructionSet` is not one that this host has, OutOfRangeError for `threads`. */
export async function createWasmRuntime(host, options) {
    if (!(Number.isInteger(options.threads) && options.threads >= 1)) {
        throw new OutOfRangeError("threads", "a whole number from 1 on", options.threads);
    }
    const set = chooseInstructionSet(host, options.instructionSet);
    const module = await host.module(set);
    const memory = reserveMemory();
    const imports = { now: () => performance.now(), may_sleep: () => Number(host.maySleep) };
    const instance = await WebAssembly.instantiate(module, { env: { memory }, host: imports });
    const exports = instance.exports;
    const workers = await startWorkers(host, module, memory, exports, options.threads - 1);
    const runtime = exports.hh_create(workers.length + 1, instructionSetNumbers[set]);
    if (runtime === 0)
        throw new OutOfMemoryError(stackBytes, "WebAssembly");
    return new WasmRuntime(host, set, memory, exports, runtime, workers);
}
function chooseInstructionSet(host, wanted) {
    const present = wasmInstructionSets.filter((set) => set !== "relaxed_simd" || host.hasRelaxedSimd());
    if (wanted === undefined)
        return present.at(-1);
    const found = present.find((set) => set === wanted);
    if (found === undefined)
        throw new UnsupportedError("WebAssembly instruction set", wanted, present);
    return found;
}
function reserveMemory() {
    for (const maximum of maximumPages) {
        try {
            return new WebAssembly.Memory({ initial: initialPages, maximum, shared: true });
        }
        catch (error) {
            if (!(error instanceof RangeError))
                throw error;
        }
    }
    throw new OutOfMemoryError(maximumPages.at(-1) * pageBytes, "WebAssembly");
}
/** Starts as many workers as the host gives, up to `count`; each gets a stack of its own. */
async function startWorkers(host, module, memory, exports, count) {
    const indices = Array.from({ length: Math.min(count, host.maximumThreads - 1) }, (_, index) => index);
    const workers = await Promise.all(indices.map((index) => {
        const stack = (exports.hh_allocate(stackBytes) >>> 0) + stackBytes;
        return host.startThread({ module, memory, index, stack });
    }));
    exports.hh_offer_threads(workers.length);
    return workers;
}
class WasmRuntime {
    host;
    instructionSet;
    memory;
    exports;
    runtime;
    workers;
    name = "wasm";
    threads;
    #staging;
    #disposed = false;
    constructor(host, instructionSet, memory, exports, runtime, workers) {
        this.host = host;
        this.instructionSet = instructionSet;
        this.memory = memory;
        this.exports = exports;
        this.runtime = runtime;
        this.workers = workers;
        this.threads = workers.length + 1;
        this.#staging = this.allocate(stagingBytes);
    }
    allocate(bytes) {
        const address = bytes < maximumPages[0] * pageBytes ? this.exports.hh_allocate(bytes) >>> 0 : 0;
        if (address === 0)
            throw new OutOfMemoryError(bytes, "WebAssembly");
        return address;
    }
    release(address, bytes) {
        this.exports.hh_release(address, bytes);
    }
    view(address, bytes) {
        return new Uint8Array(this.memory.buffer, address, bytes);
    }
    packedBytes(storage, out, width) {
        return this.exports.hh_packed_bytes(storage, BigInt(out), BigInt(width)) >>> 0;
    }
    /** Rows pass through a fixed piece of linear memory, a few at a time; a row longer than that gets one of its own. */
    packRows(matrix, rows, storage, shape, first, count) {
        if (count === 0)
            return;
        const rowBytes = rows.length / count;
        assert(Number.isInteger(rowBytes), "rows to pack must be whole");
        const step = Math.max(1, Math.floor(stagingBytes / rowBytes));
        const staging = rowBytes > stagingBytes ? this.allocate(rowBytes) : this.#staging;
        const [out, width] = [BigInt(shape[0]), BigInt(shape[1])];
        for (let row = 0; row < count; row += step) {
            const some = Math.min(step, count - row);
            this.view(staging, some * rowBytes).set(rows.subarray(row * rowBytes, (row + some) * rowBytes));
            this.exports.hh_pack_rows(matrix, staging, storage, out, width, BigInt(first + row), BigInt(some));
        }
        if (staging !== this.#staging)
            this.release(staging, rowBytes);
    }
    run(plan, words, live) {
        if (this.#disposed)
            throw new DisposedError("the WebAssembly runtime");
        this.exports.hh_run(this.runtime, plan, BigInt(words), live);
    }
    async runAsync(plan, words, live) {
        await this.host.turn();
        this.run(plan, words, live);
    }
    async dispose() {
        if (this.#disposed)
            return;
        this.#disposed = true;
        this.exports.hh_destroy(this.runtime);
        await Promise.all(this.workers.map((worker) => worker.stop()));
    }
}
