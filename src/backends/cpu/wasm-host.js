/** What the WebAssembly runtime needs of Node or of a browser. */
export const wasmInstructionSets = ["simd128", "relaxed_simd"];
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
/** The smallest module with an instruction of relaxed SIMD: () -> v128, relaxed_madd of zeros. */
const relaxedSimdProbe = Uint8Array.of(...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // magic and version
...[1, 5, 1, 0x60, 0, 1, 0x7b], // types: () -> v128
...[3, 2, 1, 0], // functions: one, of type 0
...[10, 19, 1, 17, 0], // code: one body of 17 bytes, no locals
...[0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f, 0x41, 0, 0xfd, 0x0f], // three times i32.const 0, i8x16.splat
...[0xfd, 0x85, 0x02, 0x0b]);
export function validatesRelaxedSimd() {
    return WebAssembly.validate(relaxedSimdProbe);
}
