/** Products with all that follows them in one go: which nodes that takes, and the same bits as one after the other. */
import { describe, expect, test } from "vitest";
import { describeUnless } from "../../../test/support/describe-unless.js";
import { Graph } from "../../graph/graph.js";
import type { Products } from "../../graph/operation.js";
import { activation } from "../../graph/operations/activation.js";
import { add } from "../../graph/operations/add.js";
import { columnSums } from "../../graph/operations/column-sums.js";
import { activationGradient } from "../../graph/operations/gradients/activation-gradient.js";
import { linear } from "../../graph/operations/linear.js";
import { matmul } from "../../graph/operations/matmul.js";
import { neededNodes } from "../../graph/plan.js";
import type { Tensor } from "../../graph/tensor.js";
import { RandomNumbers } from "../conformance/random-numbers.js";
import { CpuBackend } from "./cpu-backend.js";
import { fuseProducts } from "./fuse-products.js";
import { createNativeRuntime, nativeInstructionSets, whyNoNativeRuntime } from "./native-runtime.node.js";
import { spellOutProducts } from "./products.js";

/** A feed-forward part with its residual, and the gradient of its input: every kind of ending. */
function feedForward(rows: number, width: number, inner: number) {
  const graph = new Graph();
  const n = graph.dimension("n", rows);
  const [x, dy] = [graph.input("x", [n, width], "f32"), graph.input("dy", [n, width], "f32")];
  const [up, down] = [graph.parameter("up", [inner, width]), graph.parameter("down", [width, inner])];
  const bias = graph.parameter("bias", [inner], "plain");
  const before = linear(x, up, bias);
  const y = add(x, linear(activation(before, "gelu"), down));
  const slope = activationGradient(before, matmul(dy, down), "gelu");
  const dx = matmul(slope, up);
  return { graph, results: [y, dx, columnSums(slope)], between: [before, slope] };
}

function operationsOf(outputs: readonly Tensor[], products: Products): string[] {
  return fuseProducts(
    spellOutProducts(neededNodes(outputs), () => true, products),
    outputs,
  ).map(({ operation }) => operation);
}

describe("what follows a product", () => {
  const { results, between } = feedForward(5, 48, 80);

  test("is done with it: sums, activations, their gradients, sums of columns, rounding", () => {
    const left = operationsOf(results, "bf16").filter((operation) => operation !== "pack-columns");
    const expected = [
      "round-rows",
      "finished-product",
      "finished-product",
      "round-rows",
      "finished-product",
      "product",
    ];
    expect(left).toEqual(expected);
  });

  test("is left out of memory unless somebody reads it", () => {
    const storedBy = (outputs: readonly Tensor[]) =>
      fuseProducts(
        spellOutProducts(neededNodes(outputs), () => true, "bf16"),
        outputs,
      ).flatMap((node) => node.outputs);
    expect(storedBy(results)).not.toContain(between[1]);
    expect(storedBy([...results, ...between])).toEqual(expect.arrayContaining(between));
  });
});

describeUnless(whyNoNativeRuntime(), "bits of finished products", () => {
  const sizes = [1, 3, 16, 17, 33, 100, 131].flatMap((rows) => [
    [rows, 48, 80],
    [rows, 7, 33],
    [rows, 64, 17],
  ]);

  test.each(nativeInstructionSets())("%s: the same as one after the other, by one thread or two", async (set) => {
    const backends = [1, 2].map((threads) => new CpuBackend(createNativeRuntime({ instructionSet: set, threads })!));
    for (const products of ["f32", "bf16"] as const) {
      for (const [rows, width, inner] of sizes as [number, number, number][]) {
        const [expected, ...others] = [true, false].flatMap((apart) =>
          backends.map((backend) => run(backend, products, [rows, width, inner], apart)),
        );
        for (const other of others) expect(other, `${products}, ${rows}×${width}×${inner}`).toEqual(expected);
      }
    }
    await Promise.all(backends.map((backend) => backend.dispose()));
  });
});

/** @param apart - every result in between is asked for too, and sums are of inputs alone */
function run(backend: CpuBackend, products: Products, [rows, width, inner]: [number, number, number], apart: boolean) {
  const { graph, results, between } = feedForward(rows, width, inner);
  const random = new RandomNumbers(rows + width);
  const resources = new Map(
    (
      [
        ["up", inner * width],
        ["down", inner * width],
        ["bias", inner],
      ] as const
    ).map(([name, elements]) => {
      const state = backend.allocateState(elements);
      for (let i = 0; i < elements; i++) state.data[i] = random.normal();
      return [name, state];
    }),
  );
  const outputs = apart ? graph.nodes.map(({ output }) => output) : results;
  // Slopes are kept where nobody asks for what was activated (kept-slopes.test.ts).
  const program = backend.compile(graph, { outputs: [...new Set([...outputs, between[0]!])], resources, products });
  for (const name of ["x", "dy"]) {
    const values = program.floats(graph.find(name)!);
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
  }
  program.run({ n: rows });
  const found = results.map((result) => Float32Array.from(program.floats(result)));
  program.dispose();
  for (const state of resources.values()) state.dispose();
  return found.map((values) => [...new Uint32Array(values.buffer)]);
}
