/** What the WebAssembly runtime needs of Node or of a browser. */

/**
 * Lowest first; each is a module of its own. The last two have their products of bytes from relaxed dot products, which
 * are exact for 8 bits where a processor takes weights as unsigned (x86 with VNNI) or as signed (ARM).
 */
export const wasmInstructionSets = ["simd128", "relaxed_simd", "relaxed_dot", "relaxed_signed_dot"] as const;
export type WasmInstructionSet = (typeof wasmInstructionSets)[number];

export interface WasmHost {
  /** The compiled module of an instruction set. */
  module(set: WasmInstructionSet): Promise<WebAssembly.Module>;
  /** Those that can be used here, in the order of `wasmInstructionSets`; never none. */
  instructionSets(): readonly WasmInstructionSet[];
  /** Whether the calling thread may sleep on shared memory; a browser's main thread may not. */
  readonly maySleep: boolean;
  /** The most threads that the runtime can have, the caller's included; 1 where memory cannot be shared. */
  readonly maximumThreads: number;
  /** Settles after the events that are already waiting have had their turn. */
  turn(): Promise<void>;
  /** Starts a worker that runs `threadSource` on `data`; settles once it is about to wait for work. */
  startThread(data: WasmThreadData): Promise<WasmThread>;
}

/** What a worker is given: the module, the memory, its number and the top of its own stack. */
export interface WasmThreadData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  readonly stack: number;
}

export interface WasmThread {
  stop(): Promise<void>;
}

/**
 * The function that a worker runs, as source: it travels into a worker as text, so that no bundler has to know of a
 * second entry file. `ready` is called just before the thread goes to sleep until there is work.
 */
export const threadSource = `({ module, memory, index, stack }, ready) => {
  const host = { now: () => performance.now(), may_sleep: () => 1 };
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, host });
  exports.__stack_pointer.value = stack;
  ready();
  exports.hh_thread_main(index);
}`;

/** `product(x, w)`: of bytes x and w, four to a 32-bit number, 5 + the sum of the products as relaxed SIMD gives it. */
const relaxedDotProbe = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic and version
  ...[1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f], // types: (i32, i32) -> i32
  ...[3, 2, 1, 0], // functions: one, of type 0
  ...[7, 11, 1, 7, ...[..."product"].map((letter) => letter.charCodeAt(0)), 0, 0], // exports
  ...[10, 22, 1, 20, 0], // code: one body of 20 bytes, no locals
  ...[0x20, 0, 0xfd, 0x11, 0x20, 1, 0xfd, 0x11, 0x41, 5, 0xfd, 0x11], // x, w and 5, each through i32x4.splat
  ...[0xfd, 0x93, 0x02, 0xfd, 0x1b, 0, 0x0b], // i32x4.relaxed_dot_i8x16_i7x16_add_s, i32x4.extract_lane 0, end
);

export function validatesRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedDotProbe);
}

/** What `wasmInstructionSets` this engine has, found out by trying. */
export function presentInstructionSets(): WasmInstructionSet[] {
  if (!validatesRelaxedSimd()) return ["simd128"];
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(relaxedDotProbe));
  const product = exports.product as (x: number, w: number) => number;
  // Activations are from -127 to 127: if these are exact, so is all between.
  const exact = (weight: number) =>
    [-127, 127].every((x) => product((x & 255) * 0x01010101, (weight & 255) * 0x01010101) === 5 + 4 * x * weight);
  const present: WasmInstructionSet[] = ["simd128", "relaxed_simd"];
  if (exact(255)) present.push("relaxed_dot");
  if (exact(-128)) present.push("relaxed_signed_dot");
  return present;
}
