/** The WebAssembly runtime's own part: memory that grows, threads, and what it refuses. Kernels: `../conformance/`. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DisposedError, OutOfMemoryError, OutOfRangeError, UnsupportedError } from "../../core/errors.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { NodeWasmHost } from "./wasm-host.node.js";
import { createWasmRuntime } from "./wasm-runtime.js";

const host = new NodeWasmHost();

describe("WebAssembly runtime", () => {
  let runtime: CpuRuntime;
  beforeEach(async () => {
    runtime = await createWasmRuntime(host, { threads: 2 });
  });
  afterEach(() => runtime.dispose());

  test("memory is aligned, apart and zero, also when it was used before", () => {
    const held: { address: number; bytes: number }[] = [];
    for (let i = 0; i < 400; i++) {
      const bytes = (i * 7919) % 5000;
      const address = runtime.allocate(bytes);
      expect(address % 64).toBe(0);
      expect(runtime.view(address, bytes).every((byte) => byte === 0)).toBe(true);
      for (const other of held) {
        expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true);
      }
      runtime.view(address, bytes).fill(0xff);
      held.push({ address, bytes });
      if (i % 3 !== 0) {
        const [freed] = held.splice((i * 31) % held.length, 1);
        runtime.release(freed!.address, freed!.bytes);
      }
    }
  });

  test("what was released is joined and used again", () => {
    const pieces = Array.from({ length: 8 }, () => runtime.allocate(1 << 20));
    for (const index of [1, 3, 2, 5, 4]) runtime.release(pieces[index]!, 1 << 20);
    expect(runtime.allocate(5 << 20)).toBe(pieces[1]);
  });

  test("a view stays valid when memory grows", () => {
    const address = runtime.allocate(64);
    const view = runtime.view(address, 64);
    view[5] = 42;
    runtime.allocate(64 << 20);
    view[6] = 43;
    expect([...runtime.view(address + 5, 2)]).toEqual([42, 43]);
  });

  test("memory that is not to be had is an error, and nothing is lost by asking", () => {
    expect(() => runtime.allocate(2 ** 32)).toThrow(OutOfMemoryError);
    expect(() => runtime.allocate(2 ** 32 - 100)).toThrow(OutOfMemoryError);
    expect(runtime.allocate(1000)).toBeGreaterThan(0);
  });

  test("a matrix beyond four gigabytes is too large, not small again", () => {
    const bytes = runtime.packedBytes(0, 262_144, 5376);
    expect(() => runtime.allocate(bytes)).toThrow(OutOfMemoryError);
    expect(runtime.packedBytes(0, 262_144, 3584)).toBe(262_144 * 3584 * 4);
  });

  test("threads that make no sense are an error", async () => {
    for (const threads of [0, -1, 1.5, Number.NaN]) {
      await expect(createWasmRuntime(host, { threads })).rejects.toThrow(OutOfRangeError);
    }
  });

  test("an instruction set that is not there is refused by name", async () => {
    await expect(createWasmRuntime(host, { threads: 1, instructionSet: "avx2" })).rejects.toThrow(UnsupportedError);
  });

  test("nothing runs after it was disposed", async () => {
    await runtime.dispose();
    expect(() => runtime.run(0, 0, 0, 0)).toThrow(DisposedError);
  });
});
