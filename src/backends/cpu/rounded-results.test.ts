import { describe, expect, test } from "vitest";
import { availableBackends } from "../../../test/support/backends.js";
import { CounterRandom } from "../../core/random.js";
import { Graph } from "../../graph/graph.js";
import { crossEntropy } from "../../graph/operations/cross-entropy.js";
import { crossEntropyGradient } from "../../graph/operations/gradients/cross-entropy-gradient.js";
import { matmul } from "../../graph/operations/matmul.js";
import { sequenceAttention } from "../../graph/operations/sequence-attention.js";
import { capacityElements, type Tensor } from "../../graph/tensor.js";
import { createBackend } from "../../load-model.node.js";
import type { Backend } from "../backend.js";

const rows = 40;
const random = new CounterRandom(3);

/** Inputs of a graph, with numbers drawn for them. */
class Drawn {
  readonly graph = new Graph();
  readonly rows = this.graph.dimension("rows", rows);
  readonly inputs = new Map<Tensor, ArrayLike<number>>();

  floats(name: string, width: number): Tensor {
    const input = this.graph.input(name, [this.rows, width], "f32");
    this.inputs.set(
      input,
      Float32Array.from({ length: rows * width }, (_, i) => 4 * random.uniform(i + 7919 * this.inputs.size) - 2),
    );
    return input;
  }

  integers(name: string, values: readonly number[]): Tensor {
    const input = this.graph.input(name, [this.rows], "i32");
    this.inputs.set(input, values);
    return input;
  }
}

/** Attention whose result only a product reads, on its left. */
function attentionOf(drawn: Drawn, headDim: number) {
  const [query, key, value] = ["query", "key", "value"].map((name) => drawn.floats(name, 4 * headDim));
  const first = drawn.integers("first", new Array(rows).fill(0));
  const each = Array.from({ length: rows }, (_, row) => row);
  const end = drawn.integers(
    "end",
    each.map((row) => row + 1),
  );
  const attributes = { headCount: 4, keyValueHeadCount: 4, headDim, scale: headDim ** -0.5, softCap: 0, window: 0 };
  const y = sequenceAttention({ query: query!, key: key!, value: value!, first, end }, attributes);
  return { rounded: y, results: [matmul(y, drawn.floats("other", 24), "left")] };
}

const lossAttributes = { labelSmoothing: 0.1, zLoss: 1e-3 };

function logitsAndTargets(drawn: Drawn, width: number): [Tensor, Tensor] {
  const targets = Array.from({ length: rows }, (_, row) => (row % 5 === 2 ? -1 : (7 * row) % width));
  return [drawn.floats("logits", width), drawn.integers("targets", targets)];
}

/** A loss, and a gradient that only a product reads. */
function lossOf(drawn: Drawn, width: number) {
  const [logits, targets] = logitsAndTargets(drawn, width);
  const losses = crossEntropy(logits, targets, lossAttributes);
  const gradient = crossEntropyGradient(logits, targets, drawn.floats("dloss", 1), lossAttributes);
  return { rounded: gradient, results: [losses, matmul(gradient, drawn.floats("other", 24), "left")] };
}

type Build = (drawn: Drawn) => { rounded?: Tensor; results: Tensor[] };

/** @param apart - have the result that could be rounded at once read from outside, so that it cannot be */
async function run(backend: Backend, build: Build, apart: boolean) {
  const drawn = new Drawn();
  const { rounded, results } = build(drawn);
  const outputs = apart && rounded !== undefined ? [...results, rounded] : results;
  const program = backend.compile(drawn.graph, { resources: new Map(), outputs, products: "bf16" });
  for (const [input, values] of drawn.inputs) {
    if (input.type === "i32") program.integers(input).set(values);
    else program.floats(input).set(values);
  }
  program.startProfile!();
  program.run({ rows });
  const instructions = program.stopProfile!().map(({ operation }) => operation);
  const values = results.map((tensor) => program.floats(tensor).slice(0, capacityElements(tensor)));
  program.dispose();
  return { instructions, values };
}

const cases: readonly [string, Build][] = [
  ...[8, 16, 64].map((dim): [string, Build] => [`heads of ${dim}`, (drawn) => attentionOf(drawn, dim)]),
  ...[32, 320].map((width): [string, Build] => [`${width} logits`, (drawn) => lossOf(drawn, width)]),
];

describe.each(availableBackends.filter((name) => name !== "reference"))("results rounded at once: %s", (name) => {
  test.each(cases)("%s give the bits of rounding apart", async (_, build) => {
    const backend = await createBackend({ backend: name, threads: 2 });
    const [together, apart] = [await run(backend, build, false), await run(backend, build, true)];
    const rounded = (instructions: readonly string[]) => instructions.filter((each) => each === "round_rows").length;
    expect(rounded(together.instructions)).toBe(rounded(apart.instructions) - 1);
    expect(together.values).toEqual(apart.values);
    await backend.dispose();
  });

  test("losses along with their gradient have the bits of losses alone", async () => {
    const backend = await createBackend({ backend: name, threads: 2 });
    const both = await run(backend, (drawn) => lossOf(drawn, 320), false);
    const alone = await run(
      backend,
      (drawn) => ({ results: [crossEntropy(...logitsAndTargets(drawn, 320), lossAttributes)] }),
      false,
    );
    expect(both.instructions).not.toContain("cross_entropy");
    expect(alone.instructions).toEqual(["cross_entropy"]);
    expect(both.values[0]).toEqual(alone.values[0]);
    await backend.dispose();
  });
});
