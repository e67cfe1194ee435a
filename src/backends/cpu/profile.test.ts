import { describe, expect, test } from "vitest";
import { availableBackends } from "../../../test/support/backends.js";
import { Graph } from "../../graph/graph.js";
import { attention } from "../../graph/operations/attention.js";
import { linear } from "../../graph/operations/linear.js";
import { createBackend } from "../../load-model.node.js";
import type { CpuBackend } from "./cpu-backend.js";

const [width, out, capacity] = [64, 96, 8];

/** y = W attention(x), W of 8-bit blocks; two sequences share the runs. */
async function program(backend: CpuBackend) {
  const graph = new Graph();
  const rows = graph.dimension("rows", capacity);
  const indices = (name: string, shape: (typeof rows | number)[]) => graph.input(name, shape, "i32");
  const [query, weight] = [graph.input("x", [rows, width], "f32"), graph.parameter("w", [out, width])];
  const [keys, values] = ["keys", "values"].map((name) => graph.state(name, [4, 16 * 32])) as [never, never];
  const [blockTables, sequences, visible] = [
    indices("blockTables", [2, 2]),
    indices("sequences", [rows]),
    indices("visible", [rows]),
  ];
  const heads = { headCount: 4, keyValueHeadCount: 2, headDim: 16, scale: 0.25, softCap: 0, window: 0 };
  const shape = { ...heads, blockSize: 16, keyCodec: "f32", valueCodec: "f32" } as const;
  const mixed = attention({ query, keys, values, blockTables, sequences, visible }, shape);
  const output = linear(mixed, weight);
  const readRows = async (_: number, __: number, into: Uint8Array) => void into.fill(1);
  const matrix = await backend.loadMatrix({ name: "w", shape: [out, width], storage: "q8_0", readRows });
  const resources = new Map([
    ["w", matrix],
    ["keys", backend.allocateState(4 * 16 * 32)],
    ["values", backend.allocateState(4 * 16 * 32)],
  ]);
  const compiled = backend.compile(graph, { resources, outputs: [output] });
  compiled.integers(sequences).set([0, 0, 1]);
  compiled.integers(visible).set([9, 10, 20]);
  return { compiled: compiled as Required<typeof compiled>, matrixBytes: matrix.bytes };
}

describe.each(availableBackends.filter((name) => name !== "reference"))("a profile of a program: %s", (name) => {
  test("counts calls, bytes and operations of each instruction, and their time", async () => {
    const backend = (await createBackend({ backend: name, threads: 2 })) as CpuBackend;
    const { compiled, matrixBytes } = await program(backend);
    compiled.startProfile();
    const start = performance.now();
    for (let i = 0; i < 50; i++) compiled.run({ rows: 3 });
    await compiled.runAsync({ rows: 1 });
    compiled.run({ rows: 0 });
    const elapsed = 1e6 * (performance.now() - start);
    const profile = compiled.stopProfile();
    const by = (operation: string) => profile.find((each) => each.operation === operation)!;

    for (const { calls, nanoseconds } of profile) {
      expect(calls).toBe(51);
      expect(nanoseconds).toBeGreaterThan(0);
    }
    expect(profile.reduce((sum, each) => sum + each.nanoseconds, 0)).toBeLessThan(elapsed);
    expect(by("linear_q8_0")).toMatchObject({
      bytes: 51 * matrixBytes + 4 * 151 * (width + out),
      operations: 2 * 151 * width * out,
    });
    // Scores with 9 + 10 + 20 positions; of the cache, the first sequence's 10 and the second's 20, for 2 heads of 16.
    expect(by("attention")).toMatchObject({
      bytes: 8 * (50 * 30 + 9) * 32 + 8 * 151 * width,
      operations: 4 * (50 * 39 + 9) * width,
    });
    await backend.dispose();
  });

  test("begins anew each time, and gives nothing where none was begun", async () => {
    const backend = (await createBackend({ backend: name, threads: 1 })) as CpuBackend;
    const { compiled } = await program(backend);
    expect(compiled.stopProfile()).toEqual([]);
    compiled.startProfile();
    compiled.run({ rows: 3 });
    compiled.startProfile();
    const untouched = compiled.stopProfile();
    expect(untouched.length).toBeGreaterThan(1);
    for (const { calls, nanoseconds } of untouched) expect([calls, nanoseconds]).toEqual([0, 0]);
    compiled.run({ rows: 3 });
    await backend.dispose();
  });
});
