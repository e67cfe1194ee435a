/** Slopes kept for an activation's gradient: what they replace, how near they are, the same bits everywhere. */
import { describe, expect, test } from "vitest";
import { describeUnless } from "../../../test/support/describe-unless.js";
import { Graph } from "../../graph/graph.js";
import type { Products } from "../../graph/operation.js";
import { type ActivationKind, activation, activationKinds } from "../../graph/operations/activation.js";
import { columnSums } from "../../graph/operations/column-sums.js";
import { activationGradient } from "../../graph/operations/gradients/activation-gradient.js";
import { linear } from "../../graph/operations/linear.js";
import { matmul } from "../../graph/operations/matmul.js";
import { neededNodes } from "../../graph/plan.js";
import type { Tensor } from "../../graph/tensor.js";
import { RandomNumbers } from "../conformance/random-numbers.js";
import { CpuBackend } from "./cpu-backend.js";
import { fuseProducts } from "./fuse-products.js";
import { keepSlopes } from "./kept-slopes.js";
import { createNativeRuntime, nativeInstructionSets, whyNoNativeRuntime } from "./native-runtime.node.js";
import { spellOutProducts } from "./products.js";

function activated(rows: number, width: number, inner: number, kind: ActivationKind) {
  const graph = new Graph();
  const n = graph.dimension("n", rows);
  const [x, dy] = [graph.input("x", [n, width], "f32"), graph.input("dy", [n, width], "f32")];
  const [up, down] = [graph.parameter("up", [inner, width]), graph.parameter("down", [width, inner])];
  const before = linear(x, up);
  const y = linear(activation(before, kind), down);
  const slope = activationGradient(before, matmul(dy, down), kind);
  return { graph, before, results: [y, matmul(slope, up), columnSums(slope)] };
}

describe("slopes", () => {
  const { before, results } = activated(5, 48, 80, "gelu");
  const writtenBy = (outputs: readonly Tensor[], products: Products) => {
    const spelled = spellOutProducts(neededNodes(outputs), () => true, products);
    return keepSlopes(fuseProducts(spelled, outputs), outputs).flatMap((node) => node.outputs);
  };

  test("are kept in the place of what was activated", () => {
    expect(writtenBy(results, "bf16")).not.toContain(before);
    expect(writtenBy(results, "bf16").map(({ shape }) => shape[1])).toContain(roundedWords(80));
  });

  test("are not where somebody else reads that, nor in float32", () => {
    expect(writtenBy([...results, before], "bf16")).toContain(before);
    expect(writtenBy([...results, columnSums(before)], "bf16")).toContain(before);
    expect(writtenBy(results, "f32")).toContain(before);
  });
});

/** Three chunks of 32 bfloat16. */
function roundedWords(width: number): number {
  return (Math.ceil(width / 32) * 32) / 2;
}

describeUnless(whyNoNativeRuntime(), "results by kept slopes", () => {
  const sizes = [1, 17, 33, 100].flatMap((rows) => [
    [rows, 48, 80],
    [rows, 33, 17],
  ]) as [number, number, number][];

  test.each(activationKinds)("%s: near those without, and the same on every instruction set", async (kind) => {
    const backends = nativeInstructionSets().map(
      (instructionSet) => new CpuBackend(createNativeRuntime({ instructionSet, threads: 2 })!),
    );
    for (const size of sizes) {
      const [first, ...others] = backends.map((backend) => run(backend, size, kind, true));
      for (const other of others) expect(other, `${size}`).toEqual(first);
      for (const [index, result] of run(backends[0]!, size, kind, false).entries()) {
        const largest = Math.max(...result.map(Math.abs));
        for (const [i, value] of result.entries())
          expect(Math.abs(first![index]![i]! - value)).toBeLessThan(0.01 * largest);
      }
    }
    await Promise.all(backends.map((backend) => backend.dispose()));
  });
});

function run(
  backend: CpuBackend,
  [rows, width, inner]: [number, number, number],
  kind: ActivationKind,
  keeps: boolean,
) {
  const { graph, before, results } = activated(rows, width, inner, kind);
  const random = new RandomNumbers(rows + width);
  const resources = new Map(
    ["up", "down"].map((name) => {
      const state = backend.allocateState(inner * width);
      for (let i = 0; i < inner * width; i++) state.data[i] = random.normal() / 4;
      return [name, state];
    }),
  );
  const outputs = keeps ? results : [...results, before];
  const program = backend.compile(graph, { outputs, resources, products: "bf16" });
  for (const name of ["x", "dy"]) {
    const values = program.floats(graph.find(name)!);
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
  }
  program.run({ n: rows });
  const found = results.map((result) => [...program.floats(result)]);
  program.dispose();
  for (const state of resources.values()) state.dispose();
  return found;
}
