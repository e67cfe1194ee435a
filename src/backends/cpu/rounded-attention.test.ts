/** Attention between rounded matrices: which are, and results beside those of the same numbers in float32. */
import { describe, expect, test } from "vitest";
import { describeUnless } from "../../../test/support/describe-unless.js";
import { Graph } from "../../graph/graph.js";
import { columnSums } from "../../graph/operations/column-sums.js";
import { sequenceAttentionGradient } from "../../graph/operations/gradients/sequence-attention-gradient.js";
import { linear } from "../../graph/operations/linear.js";
import { matmul } from "../../graph/operations/matmul.js";
import { sequenceAttention, sequenceOperands } from "../../graph/operations/sequence-attention.js";
import { neededNodes } from "../../graph/plan.js";
import type { Tensor } from "../../graph/tensor.js";
import { RandomNumbers } from "../conformance/random-numbers.js";
import { CpuBackend } from "./cpu-backend.js";
import { createNativeRuntime, nativeInstructionSets } from "./native-runtime.node.js";
import { spellOutProducts } from "./products.js";
import { roundAttention, roundedBits } from "./rounded-attention.js";
import { roundResults } from "./rounded-results.js";

interface Shape {
  readonly rows: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Attention and its gradient between the products of a layer, as training has them. */
function layer({ rows, heads, kvHeads, headDim }: Shape) {
  const graph = new Graph();
  const n = graph.dimension("n", rows);
  const [x, dy] = [graph.input("x", [n, 48], "f32"), graph.input("dy", [n, 48], "f32")];
  const [first, end] = [graph.input("first", [n], "i32"), graph.input("end", [n], "i32")];
  const weight = (name: string, out: number, width: number) => graph.parameter(name, [out, width]);
  const [query, key, value] = [heads, kvHeads, kvHeads].map((count, i) =>
    linear(x, weight(`in${i}`, count * headDim, 48)),
  ) as [Tensor, Tensor, Tensor];
  const attributes = { headCount: heads, keyValueHeadCount: kvHeads, headDim, scale: 0.3, softCap: 0, window: 0 };
  const inputs = { query, key, value, first, end };
  const y = linear(sequenceAttention(inputs, attributes), weight("out", 48, heads * headDim));
  const dmixed = matmul(dy, weight("out2", 48, heads * headDim));
  const gradients = sequenceAttentionGradient(sequenceOperands(inputs, attributes), dmixed, attributes);
  const weights = gradients.map((gradient) => matmul(gradient, x, "left"));
  return { graph, between: [query, key, value, dmixed], results: [y, ...weights, ...gradients.map(columnSums)] };
}

describe("attention between products", () => {
  const { results, between } = layer({ rows: 5, heads: 4, kvHeads: 2, headDim: 16 });
  const bitsOf = (outputs: readonly Tensor[]) => {
    const spelled = spellOutProducts(neededNodes(outputs), () => true, "bf16");
    const nodes = roundAttention(roundResults(spelled, outputs), outputs);
    const sums = nodes.filter(({ operation }) => operation === "column-sums").length;
    return [...nodes.filter(({ operation }) => operation.startsWith("sequence-attention")).map(roundedBits), sums];
  };

  test("has its operands rounded, its gradients too, and their columns summed where they are read", () => {
    expect(bitsOf(results)).toEqual([1 + 2 + 4, 1 + 2 + 4 + 8 + 16 + 32, 0]);
  });

  test("keeps in float32 what somebody else reads", () => {
    expect(bitsOf([...results, between[1]!])[0]).toBe(1 + 4);
    expect(bitsOf([...results, columnSums(between[2]!)])[0]).toBe(1 + 2);
  });
});

const isThere = nativeInstructionSets().includes("amx");
describeUnless(isThere ? undefined : "no matrix units", "results of rounded attention", () => {
  const shapes: Shape[] = [
    { rows: 96, heads: 2, kvHeads: 2, headDim: 32 },
    { rows: 70, heads: 4, kvHeads: 2, headDim: 16 },
    { rows: 33, heads: 8, kvHeads: 4, headDim: 24 },
    { rows: 40, heads: 4, kvHeads: 4, headDim: 8 },
  ];

  test.each(shapes)("are near those in float32: %o", async (shape) => {
    const backends = [1, 2].map((threads) => new CpuBackend(createNativeRuntime({ instructionSet: "amx", threads })!));
    for (const ranges of ["causal", "packed", "prefixes"] as const) {
      const [one, two] = backends.map((backend) => run(backend, shape, ranges, "bf16"));
      expect(two).toEqual(one);
      for (const [index, expected] of run(backends[0]!, shape, ranges, "f32").entries()) {
        // Gradients of keys cancel in their sums, which leaves nothing but what was rounded.
        const largest = Math.max(index === keySums ? 4 : 0, ...expected.map(Math.abs));
        for (const [i, value] of expected.entries())
          expect(Math.abs(one![index]![i]! - value), `${ranges} ${index}`).toBeLessThan(0.02 * largest);
      }
    }
    await Promise.all(backends.map((backend) => backend.dispose()));
  });
});

/** Where the sums of the columns of keys' gradients are among the results. */
const keySums = 5;

/** What each row sees: all before it; those of its document; from a start that differs within a document. */
const seen = {
  causal: (row: number) => [0, row + 1],
  packed: (row: number) => [row - (row % 27), row + 1],
  prefixes: (row: number) => [row % 40 < 20 ? row - (row % 40) : row - (row % 40) + 7, row + 1],
} as const;

function run(backend: CpuBackend, shape: Shape, ranges: keyof typeof seen, products: "f32" | "bf16") {
  const { graph, results } = layer(shape);
  const random = new RandomNumbers(shape.rows);
  const wide = shape.heads * shape.headDim;
  const narrow = shape.kvHeads * shape.headDim;
  const sizes = { in0: 48 * wide, in1: 48 * narrow, in2: 48 * narrow, out: 48 * wide, out2: 48 * wide };
  const resources = new Map(
    Object.entries(sizes).map(([name, elements]) => {
      const state = backend.allocateState(elements);
      for (let i = 0; i < elements; i++) state.data[i] = random.normal() / 6;
      return [name, state];
    }),
  );
  const program = backend.compile(graph, { outputs: results, resources, products });
  for (const name of ["x", "dy"]) {
    const values = program.floats(graph.find(name)!);
    for (let i = 0; i < values.length; i++) values[i] = random.normal();
  }
  for (const [index, name] of (["first", "end"] as const).entries()) {
    const values = program.integers(graph.find(name)!);
    for (let row = 0; row < shape.rows; row++) values[row] = seen[ranges](row)[index]!;
  }
  program.run({ n: shape.rows });
  const found = results.map((result) => [...program.floats(result)]);
  program.dispose();
  for (const state of resources.values()) state.dispose();
  return found;
}
