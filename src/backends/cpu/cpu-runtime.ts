/**
 * What the CPU backend needs of its C library (`kernels/hitherto.h`), whether that is a native addon or WebAssembly.
 *
 * Addresses are plain numbers: pointers below 2^53 natively, offsets in linear memory in WebAssembly.
 */
export interface CpuRuntime {
  readonly name: "native" | "wasm";
  readonly instructionSet: string;
  readonly threads: number;
  /** Zeroed memory, aligned to 64 bytes. @throws OutOfMemoryError */
  allocate(bytes: number): number;
  release(address: number, bytes: number): void;
  /** A hint: this memory is about to be filled whole. Absent where there is nothing to choose. */
  preferLargePages?(address: number, bytes: number): void;
  /** A view of memory that stays valid until it is released. */
  view(address: number, bytes: number): Uint8Array;
  packedBytes(storage: number, out: number, width: number): number;
  /**
   * Packs `count` rows from `first` on, which lie at the address `rows`: off the event loop where there is one, else on
   * all threads. Different rows of a matrix may be packed at once. Neither memory may be released before it settles.
   */
  packRows(
    matrix: number,
    rows: number,
    storage: number,
    shape: readonly [number, number],
    first: number,
    count: number,
  ): Promise<void>;
  /**
   * Runs the plan at `plan` (8-byte words) with the live sizes at `live`, on the calling thread and the pool.
   * @param times - 8-byte counters, to which each instruction's nanoseconds are added; 0 for none
   */
  run(plan: number, words: number, live: number, times: number): void;
  /** The same off the event loop, where there is one; else `run` after a turn of the event loop. */
  runAsync(plan: number, words: number, live: number, times: number): Promise<void>;
  dispose(): Promise<void>;
}
