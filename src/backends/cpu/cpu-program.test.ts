import { expect, test } from "vitest";
import { OutOfMemoryError } from "../../core/errors.js";
import { Graph } from "../../graph/graph.js";
import { add } from "../../graph/operations/add.js";
import { rotary } from "../../graph/operations/rotary.js";
import { planGraph } from "../../graph/plan.js";
import { CpuProgram } from "./cpu-program.js";
import type { CpuRuntime } from "./cpu-runtime.js";

/** Memory that ends after so many allocations, and knows what is held of it. */
function scarceRuntime(allocations: number) {
  const held = new Map<number, number>();
  let next = 64;
  const runtime = {
    threads: 1,
    allocate(bytes: number) {
      if (allocations-- === 0) throw new OutOfMemoryError(bytes, "the test");
      next += 64;
      held.set(next, bytes);
      return next;
    },
    release: (address: number) => held.delete(address),
    view: (_: number, bytes: number) => new Uint8Array(bytes),
  };
  return { runtime: runtime as unknown as CpuRuntime, held };
}

test("a program that finds no memory gives back what it had", () => {
  const graph = new Graph();
  const tokens = graph.dimension("tokens", 4);
  const x = graph.input("x", [tokens, 8], "f32");
  const table = graph.constant("table", [4, 8], new Float32Array(32));
  const positions = graph.input("positions", [tokens], "i32");
  const turned = rotary(x, positions, table, { headDim: 8, rotaryDim: 8, layout: "half" });
  const plan = planGraph([add(turned, x)]);
  for (let allocations = 0; allocations < 4; allocations++) {
    const { runtime, held } = scarceRuntime(allocations);
    expect(() => new CpuProgram(runtime, plan, new Map())).toThrow(OutOfMemoryError);
    expect(held.size, `${allocations} allocations`).toBe(0);
  }
  const { runtime, held } = scarceRuntime(4);
  new CpuProgram(runtime, plan, new Map()).dispose();
  expect(held.size).toBe(0);
});
