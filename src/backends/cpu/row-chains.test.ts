import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CounterRandom } from "../../core/random.js";
import { Graph } from "../../graph/graph.js";
import { activation } from "../../graph/operations/activation.js";
import { add } from "../../graph/operations/add.js";
import { columnSums } from "../../graph/operations/column-sums.js";
import { dropout } from "../../graph/operations/dropout.js";
import { activationGradient } from "../../graph/operations/gradients/activation-gradient.js";
import { gatedActivationGradient } from "../../graph/operations/gradients/gated-activation-gradient.js";
import { layerNormGradient } from "../../graph/operations/gradients/layer-norm-gradient.js";
import { rmsNormGradient } from "../../graph/operations/gradients/rms-norm-gradient.js";
import { layerNorm } from "../../graph/operations/layer-norm.js";
import { matmul } from "../../graph/operations/matmul.js";
import { rmsNorm } from "../../graph/operations/rms-norm.js";
import { scale } from "../../graph/operations/scale.js";
import { planGraph } from "../../graph/plan.js";
import { capacityElements, type Tensor } from "../../graph/tensor.js";
import { CpuBackend } from "./cpu-backend.js";
import { CpuProgram } from "./cpu-program.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { createNativeRuntime, whyNoNativeRuntime } from "./native-runtime.node.js";
import { spellOutProducts } from "./products.js";
import { chainRows, type RowChainAttributes } from "./row-chains.js";
import { NodeWasmHost } from "./wasm-host.node.js";
import { createWasmRuntime } from "./wasm-runtime.js";

const capacity = 100;
const norm = { eps: 1e-5, groups: 1 };

interface Sources {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly seed: Tensor;
}

/** Ways to go on from two results: to matrices, which others may go on from, and vectors. */
const steps: readonly ((x: Tensor, y: Tensor, s: Sources) => readonly Tensor[])[] = [
  (x, y) => [add(x, y)],
  (x) => [scale(x, 0.7)],
  (x) => [activation(x, "gelu")],
  (x, y) => [activationGradient(x, y, "silu")],
  (x, y) => gatedActivationGradient(x, y, x, "gelu-tanh"),
  (x, _, s) => [layerNorm(x, s.weight, s.bias, { eps: 1e-5 })],
  (x, _, s) => [rmsNorm(x, s.weight, norm)],
  (x, y, s) => layerNormGradient(x, s.weight, y, { eps: 1e-5, bias: true }),
  (x, y, s) => rmsNormGradient(x, s.weight, y, norm),
  (x, _, s) => [dropout(x, s.seed, { rate: 0.3, stream: 4 })],
  (x) => [columnSums(x)],
  (x, y) => [matmul(x, matmul(y, x, "left"))],
];

const random = new CounterRandom(3);
const drawn = Float32Array.from({ length: 20_000 }, (_, i) => 4 * random.uniform(i) - 2);
const numbers = (count: number, from: number) => drawn.subarray(from, from + count);

interface Recipe {
  readonly width: number;
  readonly rows: number;
  /** Each: which step, and which of the matrices so far it reads. */
  readonly steps: readonly (readonly [number, number, number])[];
  /** Which results are read after the run, beside the last. */
  readonly read: readonly number[];
}

const recipes: fc.Arbitrary<Recipe> = fc.record({
  width: fc.constantFrom(5, 16, 37, 64),
  rows: fc.integer({ min: 0, max: capacity }),
  steps: fc.array(fc.tuple(fc.nat(steps.length - 1), fc.nat(30), fc.nat(30)), { minLength: 2, maxLength: 14 }),
  read: fc.array(fc.nat(30), { maxLength: 4 }),
});

function build({ width, steps: chosen, read }: Recipe) {
  const graph = new Graph();
  const extent = graph.dimension("rows", capacity);
  const inputs = ["a", "b"].map((name) => graph.input(name, [extent, width], "f32"));
  const seed = graph.input("seed", [2], "i32");
  const sources = { seed, weight: graph.parameter("weight", [width]), bias: graph.parameter("bias", [width]) };
  const results: Tensor[] = [];
  for (const [step, first, second] of chosen) {
    // Mostly the latest results, as in a model.
    const matrices = [...inputs, ...results.filter(({ shape }) => shape.length > 1)].reverse();
    const pick = (index: number) => matrices[Math.min(index, index % matrices.length)]!;
    results.push(...steps[step]!(pick(first % 4), pick(second), sources));
  }
  const outputs = new Set([...results.filter(({ shape }) => shape.length === 1), results.at(-1)!]);
  for (const index of read) outputs.add(results[index % results.length]!);
  return { graph, inputs, seed, outputs: [...outputs] };
}

const host = new NodeWasmHost();
const reason = whyNoNativeRuntime();
const runtimes: readonly (readonly [string, (threads: number) => Promise<CpuRuntime>])[] = [
  ["native", async (threads) => createNativeRuntime({ threads })!],
  ["wasm", (threads) => createWasmRuntime(host, { threads })],
];

describe.each(runtimes)("chains of operations on rows, %s", (name, makeRuntime) => {
  const backends: CpuBackend[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2]) {
      if (name === "wasm" || reason === undefined) backends.push(new CpuBackend(await makeRuntime(threads)));
    }
  });
  afterAll(async () => void (await Promise.all(backends.map((backend) => backend.dispose()))));

  /** What a recipe gives, with chains or without, and the operations of each chain. */
  function run(backend: CpuBackend, recipe: Recipe, chained: boolean, products: "f32" | "bf16") {
    const { inputs, seed, outputs } = build(recipe);
    const chains: string[][] = [];
    const plan = planGraph(outputs, (nodes) => {
      const spelled = spellOutProducts(nodes, () => true, products);
      const all = chained ? chainRows(spelled, outputs) : spelled;
      for (const { operation, attributes } of all)
        if (operation === "row-chain")
          chains.push((attributes as RowChainAttributes).members.map((each) => each.operation));
      return all;
    });
    const vectors = ["weight", "bias"].map(
      (name, i) => [name, backend.loadPlain(numbers(recipe.width, 100 * (i + 1)))] as const,
    );
    const program = new CpuProgram(backend.runtime, plan, new Map(vectors));
    for (const [index, input] of inputs.entries())
      if (plan.inputs.includes(input)) program.floats(input).set(numbers(capacityElements(input), index * 10_000));
    if (plan.inputs.includes(seed)) program.integers(seed).set([5, 6]);
    program.run({ rows: recipe.rows });
    const results = outputs.map((output) => {
      const live = output.shape.length === 1 ? capacityElements(output) : recipe.rows * recipe.width;
      return Buffer.from(program.floats(output).slice(0, live).buffer);
    });
    program.dispose();
    for (const [, resource] of vectors) resource.dispose();
    return { results, chains, places: plan.offsets.size };
  }

  test.for(["f32", "bf16"] as const)("give the bits of their members alone, %s products", (products, { skip }) => {
    skip(backends.length === 0, reason);
    let longest = 0;
    fc.assert(
      fc.property(recipes, (recipe) => {
        const apart = run(backends[0]!, recipe, false, products);
        for (const backend of backends) {
          const chained = run(backend, recipe, true, products);
          expect(chained.results.map((result, i) => result.equals(apart.results[i]!))).not.toContain(false);
          longest = Math.max(longest, ...chained.chains.map(({ length }) => length));
        }
      }),
      { numRuns: name === "native" ? 150 : 60 },
    );
    expect(longest).toBeGreaterThan(4);
  });

  test("go from one product to the next, with nothing in the arena that only they read", ({ skip }) => {
    skip(backends.length === 0, reason);
    const recipe: Recipe = {
      width: 64,
      rows: capacity,
      steps: [
        [11, 0, 1],
        [9, 0, 0],
        [0, 0, 2],
        [5, 0, 0],
        [11, 0, 0],
      ],
      read: [],
    };
    const [apart, chained] = [false, true].map((chains) => run(backends[0]!, recipe, chains, "bf16"));
    expect(chained!.chains).toContainEqual(["dropout", "add", "layer-norm", "round-rows"]);
    // What dropout, sum and norm give.
    expect(chained!.places).toBe(apart!.places - 3);
  });
});
