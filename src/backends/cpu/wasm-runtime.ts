/**
 * The CPU runtime as WebAssembly: one shared memory of up to 4 GiB, one instance of the module for each thread.
 *
 * Memory is always declared shared, also for one thread: its views then stay valid when it grows. A page that is not
 * cross-origin isolated can have such memory too; it only cannot hand it to workers, so it has one thread.
 */
import { DisposedError, OutOfMemoryError, OutOfRangeError, UnsupportedError } from "../../core/errors.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { instructionSets } from "./instructions.js";
import type { WasmHost, WasmInstructionSet, WasmThread } from "./wasm-host.js";

export interface WasmRuntimeOptions {
  /** Threads to compute with, the caller's included. 1 or more; a host may have fewer to give. */
  readonly threads: number;
  /** Forces an instruction set; the best that there is unless given. */
  readonly instructionSet?: string;
}

/** What the modules export. Addresses come back signed; `int64_t` is a BigInt. */
interface Exports {
  readonly __stack_pointer: WebAssembly.Global;
  hh_create(threads: number, instructionSet: number): number;
  hh_destroy(runtime: number): void;
  hh_allocate(bytes: number): number;
  hh_release(address: number, bytes: number): void;
  hh_packed_bytes(storage: number, out: bigint, width: bigint): number;
  hh_pack(
    runtime: number,
    matrix: number,
    rows: number,
    storage: number,
    out: bigint,
    width: bigint,
    first: bigint,
    count: bigint,
  ): void;
  hh_run(runtime: number, plan: number, words: bigint, live: number, times: number): void;
  hh_offer_threads(count: number): void;
}

const pageBytes = 65536;
/** Pages that the modules start with: their data and the first thread's stack; see the link flags in `tools/`. */
const initialPages = 32;
/** Most pages to ask for; a host that cannot reserve so much address space is asked for less. */
const maximumPages = [65536, 32768, 16384, 8192];
const stackBytes = 1 << 20;

/** @throws UnsupportedError when `options.instructionSet` is not one that this host has, OutOfRangeError for `threads`. */
export async function createWasmRuntime(host: WasmHost, options: WasmRuntimeOptions): Promise<CpuRuntime> {
  if (!(Number.isInteger(options.threads) && options.threads >= 1)) {
    throw new OutOfRangeError("threads", "a whole number from 1 on", options.threads);
  }
  const set = chooseInstructionSet(host, options.instructionSet);
  const module = await host.module(set);
  const memory = reserveMemory();
  const imports = { now: () => performance.now(), may_sleep: () => Number(host.maySleep) };
  const instance = await WebAssembly.instantiate(module, { env: { memory }, host: imports });
  const exports = instance.exports as unknown as Exports;
  const workers = await startWorkers(host, module, memory, exports, options.threads - 1);
  const runtime = exports.hh_create(workers.length + 1, instructionSets.indexOf(set));
  if (runtime === 0) throw new OutOfMemoryError(stackBytes, "WebAssembly");
  return new WasmRuntime(host, set, memory, exports, runtime, workers);
}

function chooseInstructionSet(host: WasmHost, wanted: string | undefined): WasmInstructionSet {
  const present = host.instructionSets();
  if (wanted === undefined) return present.at(-1)!;
  const found = present.find((set) => set === wanted);
  if (found === undefined) throw new UnsupportedError("WebAssembly instruction set", wanted, present);
  return found;
}

function reserveMemory(): WebAssembly.Memory {
  for (const maximum of maximumPages) {
    try {
      return new WebAssembly.Memory({ initial: initialPages, maximum, shared: true });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new OutOfMemoryError(maximumPages.at(-1)! * pageBytes, "WebAssembly");
}

/** Starts as many workers as the host gives, up to `count`; each gets a stack of its own. */
async function startWorkers(
  host: WasmHost,
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  exports: Exports,
  count: number,
): Promise<WasmThread[]> {
  const indices = Array.from({ length: Math.min(count, host.maximumThreads - 1) }, (_, index) => index);
  const workers = await Promise.all(
    indices.map((index) => {
      const stack = (exports.hh_allocate(stackBytes) >>> 0) + stackBytes;
      return host.startThread({ module, memory, index, stack });
    }),
  );
  exports.hh_offer_threads(workers.length);
  return workers;
}

class WasmRuntime implements CpuRuntime {
  readonly name = "wasm";
  readonly threads: number;
  #disposed = false;

  constructor(
    readonly host: WasmHost,
    readonly instructionSet: string,
    readonly memory: WebAssembly.Memory,
    readonly exports: Exports,
    readonly runtime: number,
    readonly workers: readonly WasmThread[],
  ) {
    this.threads = workers.length + 1;
  }

  allocate(bytes: number): number {
    const address = bytes < maximumPages[0]! * pageBytes ? this.exports.hh_allocate(bytes) >>> 0 : 0;
    if (address === 0) throw new OutOfMemoryError(bytes, "WebAssembly");
    return address;
  }

  release(address: number, bytes: number): void {
    this.exports.hh_release(address, bytes);
  }

  view(address: number, bytes: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, bytes);
  }

  packedBytes(storage: number, out: number, width: number): number {
    return this.exports.hh_packed_bytes(storage, BigInt(out), BigInt(width)) >>> 0;
  }

  async packRows(
    matrix: number,
    rows: number,
    storage: number,
    [out, width]: readonly [number, number],
    first: number,
    count: number,
  ): Promise<void> {
    this.#requireOpen();
    const numbers = [BigInt(out), BigInt(width), BigInt(first), BigInt(count)] as const;
    this.exports.hh_pack(this.runtime, matrix, rows, storage, ...numbers);
  }

  run(plan: number, words: number, live: number, times: number): void {
    this.#requireOpen();
    this.exports.hh_run(this.runtime, plan, BigInt(words), live, times);
  }

  async runAsync(plan: number, words: number, live: number, times: number): Promise<void> {
    await this.host.turn();
    this.run(plan, words, live, times);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.exports.hh_destroy(this.runtime);
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }
  #requireOpen(): void {
    if (this.#disposed) throw new DisposedError("the WebAssembly runtime");
  }
}
