/** The native runtime as a whole: programs that its threads share, runs off the event loop, memory that is given back. */
import { expect, test } from "vitest";
import { describeUnless } from "../../../test/support/describe-unless.js";
import { DisposedError, OutOfMemoryError, OutOfRangeError, UnsupportedError } from "../../core/errors.js";
import { Transformer, type TransformerShape } from "../conformance/transformer.js";
import { CpuBackend } from "./cpu-backend.js";
import { createNativeRuntime, type NativeRuntimeOptions, whyNoNativeRuntime } from "./native-runtime.node.js";

const shape: TransformerShape = {
  hiddenSize: 192,
  layerCount: 2,
  headCount: 6,
  keyValueHeadCount: 2,
  intermediateSize: 416,
  vocabSize: 1000,
  rotaryLayout: "half",
  storage: "f32",
  contextLength: 128,
  tokens: 96,
};
const prompt = Array.from({ length: 96 }, (_, i) => (i * 37) % 1000);

const make = (options: NativeRuntimeOptions) => new CpuBackend(createNativeRuntime(options)!);

async function using<T>(options: NativeRuntimeOptions, own: Partial<TransformerShape>, body: (t: Transformer) => T) {
  const backend = make(options);
  const transformer = await Transformer.on(backend, { ...shape, ...own });
  try {
    return await body(transformer);
  } finally {
    transformer.dispose();
    await backend.dispose();
  }
}

/** Logits of the whole prompt, asked for in runs of these sizes. */
function inRuns(transformer: Transformer, sizes: readonly number[]): Float32Array {
  const logits: number[] = [];
  let first = 0;
  for (const size of sizes) {
    for (const value of transformer.run(prompt.slice(first, first + size), first)) logits.push(value);
    first += size;
  }
  return Float32Array.from(logits);
}

/** Index of the first number whose bits differ, or undefined. */
function firstDifference(a: Float32Array, b: Float32Array): number | undefined {
  if (a.length !== b.length) return Math.min(a.length, b.length);
  const [x, y] = [a, b].map((values) => new Uint32Array(values.buffer, values.byteOffset, values.length)) as [
    Uint32Array,
    Uint32Array,
  ];
  const found = x.findIndex((bits, i) => bits !== y[i]);
  return found < 0 ? undefined : found;
}

describeUnless(whyNoNativeRuntime(), "native runtime", () => {
  const wide = { hiddenSize: 256, headCount: 8, intermediateSize: 512 };
  for (const storage of ["f32", "q8_0", "q4_0", "q4_k", "q6_k", "mxfp4", "bf16"] as const) {
    const own = { storage, ...(storage.endsWith("_k") ? wide : {}) };
    test(`a decoder in ${storage} gives the same bits with any number of threads, however it is asked`, async () => {
      const whole = await using({ threads: 1 }, own, (t) => inRuns(t, [96]));
      expect(whole.every(Number.isFinite)).toBe(true);
      for (const threads of [1, 2, 3, 5]) {
        await using({ threads }, own, (t) => {
          expect(firstDifference(inRuns(t, [96]), whole), `${threads} threads`).toBeUndefined();
          const chunks = [1, 2, 3, 7, 31, 5, 47];
          expect(firstDifference(inRuns(t, chunks), whole), `${threads} threads, chunks`).toBeUndefined();
          const steps = prompt.map(() => 1);
          expect(firstDifference(inRuns(t, steps), whole), `${threads} threads, steps`).toBeUndefined();
        });
      }
    });
  }

  test("threads that sleep, wake and are interrupted never change a bit", async () => {
    await using({ threads: 4 }, {}, async (t) => {
      const whole = t.run(prompt, 0).slice();
      for (let i = 0; i < 60; i++) {
        if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(firstDifference(t.run(prompt, 0), whole)).toBeUndefined();
      }
    });
  });

  test("a run off the event loop gives the same bits while the loop goes on", async () => {
    await using({ threads: 2 }, {}, async (t) => {
      const whole = t.run(prompt, 0).slice();
      let turns = 0;
      const timer = setInterval(() => turns++, 0);
      for (let i = 0; i < 20; i++) expect(firstDifference(await t.runAsync(prompt, 0), whole)).toBeUndefined();
      clearInterval(timer);
      expect(turns).toBeGreaterThan(0);
    });
  });

  test("options that make no sense are errors", () => {
    expect(() => createNativeRuntime({ threads: 0 })).toThrow(OutOfRangeError);
    expect(() => createNativeRuntime({ threads: 65 })).toThrow(OutOfRangeError);
    expect(() => createNativeRuntime({ instructionSet: "avx9000" })).toThrow(UnsupportedError);
  });

  test("memory is zeroed, aligned, and empty for JavaScript once it is released", async () => {
    const runtime = createNativeRuntime({ threads: 1 })!;
    for (const bytes of [0, 4, 1000, 100_000, 20_000_000]) {
      const address = runtime.allocate(bytes);
      expect(address % 64).toBe(0);
      const view = runtime.view(address, bytes);
      expect(view.length).toBe(bytes);
      expect(view.every((byte) => byte === 0)).toBe(true);
      expect(runtime.view(address, bytes).buffer).toBe(view.buffer);
      runtime.release(address, bytes);
      expect(view.length).toBe(0);
      expect(() => runtime.view(address, bytes)).toThrow(DisposedError);
    }
    await runtime.dispose();
    expect(() => runtime.allocate(4)).toThrow(DisposedError);
  });

  test("a state of more than four gigabytes is whole, or an error that says so", async () => {
    const backend = make({ threads: 1 });
    const elements = 5 * 2 ** 28;
    try {
      const state = backend.allocateState(elements);
      expect(state.data.length).toBe(elements);
      state.dispose();
    } catch (error) {
      expect(error).toBeInstanceOf(OutOfMemoryError);
    }
    await backend.dispose();
  });

  test("a program refuses live sizes beyond what it was compiled for", async () => {
    await using({ threads: 1 }, { tokens: 4 }, (t) => {
      expect(() => t.run([1, 2, 3, 4, 5], 0, 4)).toThrow(OutOfRangeError);
    });
  });
});
