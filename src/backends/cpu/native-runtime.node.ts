/** The C runtime as a native addon, where one was built for this machine. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import {
  DisposedError,
  InternalError,
  OutOfMemoryError,
  OutOfRangeError,
  UnsupportedError,
} from "../../core/errors.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { instructionSets } from "./instructions.js";
import { kernelsFingerprint, whyStale } from "./native-sources.node.js";

export interface NativeRuntimeOptions {
  /** Threads to compute with, the caller's included, 1 to 64. The number of physical cores unless given. */
  readonly threads?: number;
  /** Forces an instruction set; the best that the processor has unless given. */
  readonly instructionSet?: string;
}

/** The functions of `kernels/addon.c`; addresses are numbers. */
interface Addon {
  builtFrom?(): string;
  instructionSets(): number;
  create(threads: number, instructionSet: number): number;
  destroy(runtime: number): void;
  allocate(bytes: number): number;
  release(address: number, bytes: number): void;
  preferLargePages(address: number, bytes: number): void;
  view(address: number, bytes: number): ArrayBuffer;
  detach(buffer: ArrayBuffer): void;
  packedBytes(storage: number, out: number, width: number): number;
  packRows(
    matrix: number,
    rows: number,
    storage: number,
    out: number,
    width: number,
    first: number,
    count: number,
  ): Promise<void>;
  run(runtime: number, plan: number, words: number, live: number, times: number): void;
  runAsync(runtime: number, plan: number, words: number, live: number, times: number): Promise<void>;
}

const maximumThreads = 64;
/** Beside `dist/backends/cpu` when compiled, under `dist` when the TypeScript sources run directly. */
const addonFiles = ["../../native/hitherto.node", "../../../dist/native/hitherto.node"].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

let loaded: Addon | string | undefined;

/** The addon, or why there is none. */
function loadAddon(): Addon | string {
  if (loaded === undefined) {
    const file = addonFiles.find((path) => existsSync(path));
    try {
      loaded =
        file === undefined ? "no native addon was built" : current(createRequire(import.meta.url)(file) as Addon);
    } catch (error) {
      loaded = `the native addon does not load: ${(error as Error).message}`;
    }
  }
  return loaded;
}

/** The addon, or why it is not to be used. */
function current(addon: Addon): Addon | string {
  return whyStale(addon.builtFrom?.(), kernelsFingerprint()) ?? addon;
}

/** Why there is no native runtime here; undefined when there is one. */
export function whyNoNativeRuntime(): string | undefined {
  const addon = loadAddon();
  return typeof addon === "string" ? addon : undefined;
}

/** Instruction sets that were compiled in and that this processor has, best last. Empty without an addon. */
export function nativeInstructionSets(): string[] {
  const addon = loadAddon();
  if (typeof addon === "string") return [];
  const present = addon.instructionSets();
  return instructionSets.filter((_, id) => (present >> id) & 1);
}

/**
 * @returns undefined where there is no addon; `whyNoNativeRuntime` says why.
 * @throws UnsupportedError for an instruction set that is not there, OutOfRangeError for `threads`,
 *   OutOfMemoryError when the threads cannot be had.
 */
export function createNativeRuntime(options: NativeRuntimeOptions = {}): CpuRuntime | undefined {
  const addon = loadAddon();
  if (typeof addon === "string") return undefined;
  const present = nativeInstructionSets();
  const instructionSet = options.instructionSet ?? present.at(-1)!;
  if (!present.includes(instructionSet)) throw new UnsupportedError("instruction set", instructionSet, present);
  const threads = options.threads ?? Math.min(physicalCores(), availableParallelism(), maximumThreads);
  if (!Number.isInteger(threads) || threads < 1 || threads > maximumThreads) {
    throw new OutOfRangeError("threads", `1 to ${maximumThreads}`, threads);
  }
  const handle = addon.create(threads, instructionSets.indexOf(instructionSet as (typeof instructionSets)[number]));
  if (handle === 0) throw new OutOfMemoryError(0, `a pool of ${threads} threads`);
  return new NativeRuntime(addon, handle, instructionSet, threads);
}

/** Cores, not counting a second thread of one core; all processors where the system does not say. */
function physicalCores(): number {
  try {
    const info = readFileSync("/proc/cpuinfo", "utf8");
    const cores = info.matchAll(/^physical id\s*: (\d+)$[\s\S]*?^core id\s*: (\d+)$/gm);
    return new Set(Array.from(cores, ([, chip, core]) => `${chip}/${core}`)).size || availableParallelism();
  } catch {
    return availableParallelism();
  }
}

/** A block of memory; V8 wants at most one ArrayBuffer over it. */
interface Block {
  readonly bytes: number;
  buffer: ArrayBuffer | undefined;
}

class NativeRuntime implements CpuRuntime {
  readonly name = "native";
  readonly #addon: Addon;
  #handle: number;
  readonly #blocks = new Map<number, Block>();
  readonly #packing = new Set<Promise<void>>();
  #running: Promise<void> | undefined;

  constructor(
    addon: Addon,
    handle: number,
    readonly instructionSet: string,
    readonly threads: number,
  ) {
    this.#addon = addon;
    this.#handle = handle;
  }

  allocate(bytes: number): number {
    this.#requireOpen();
    const address = this.#addon.allocate(bytes);
    if (address === 0) throw new OutOfMemoryError(bytes, "the system");
    this.#blocks.set(address, { bytes, buffer: undefined });
    return address;
  }

  release(address: number, bytes: number): void {
    const block = this.#blocks.get(address);
    if (block === undefined) return;
    this.#blocks.delete(address);
    if (block.buffer !== undefined) this.#addon.detach(block.buffer);
    this.#addon.release(address, bytes);
  }

  preferLargePages(address: number, bytes: number): void {
    this.#addon.preferLargePages(address, bytes);
  }

  view(address: number, bytes: number): Uint8Array {
    const block = this.#blocks.get(address);
    if (block === undefined) throw new DisposedError("memory of the native backend");
    block.buffer ??= this.#bufferOver(address, block.bytes);
    return new Uint8Array(block.buffer, 0, bytes);
  }

  /** Node 20 has no ArrayBuffer of more than 4 GiB. */
  #bufferOver(address: number, bytes: number): ArrayBuffer {
    try {
      return this.#addon.view(address, bytes);
    } catch {
      throw new OutOfMemoryError(bytes, "an ArrayBuffer of this version of Node");
    }
  }

  packedBytes(storage: number, out: number, width: number): number {
    return this.#addon.packedBytes(storage, out, width);
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
    const packed = this.#addon.packRows(matrix, rows, storage, out, width, first, count);
    this.#packing.add(packed);
    await packed;
    this.#packing.delete(packed);
  }

  run(plan: number, words: number, live: number, times: number): void {
    this.#requireIdle();
    this.#addon.run(this.#handle, plan, words, live, times);
  }

  runAsync(plan: number, words: number, live: number, times: number): Promise<void> {
    this.#requireIdle();
    const done = this.#addon.runAsync(this.#handle, plan, words, live, times).then(() => {
      this.#running = undefined;
    });
    this.#running = done;
    return done;
  }

  async dispose(): Promise<void> {
    if (this.#handle === 0) return;
    const handle = this.#handle;
    this.#handle = 0;
    await Promise.all([this.#running, ...this.#packing]);
    for (const [address, { bytes }] of [...this.#blocks]) this.release(address, bytes);
    this.#addon.destroy(handle);
  }

  /** Two runs at once would share one pool of threads, which serves one. */
  #requireIdle(): void {
    this.#requireOpen();
    if (this.#running !== undefined) throw new InternalError("a run was begun while another was under way");
  }

  #requireOpen(): void {
    if (this.#handle === 0) throw new DisposedError("the native backend");
  }
}
