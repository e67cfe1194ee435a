/** Every gradient rule against central finite differences, in float64. */
import { describe, expect, test } from "vitest";
import { allCases } from "../backends/conformance/cases/index.js";
import { Fixture } from "../backends/conformance/fixture.js";
import { RandomNumbers } from "../backends/conformance/random-numbers.js";
import { Interpreter } from "../backends/reference/interpreter.js";
import { accumulateGradients, differentiate, gradientName, NoGradientError } from "./differentiate.js";
import type { Floats } from "./operation.js";
import { activation, activationKinds } from "./operations/activation.js";
import { add } from "./operations/add.js";
import { crossEntropy } from "./operations/cross-entropy.js";
import { dropout } from "./operations/dropout.js";
import { embedding } from "./operations/embedding.js";
import { gatedActivation } from "./operations/gated-activation.js";
import { operations } from "./operations/index.js";
import { layerNorm } from "./operations/layer-norm.js";
import { linear } from "./operations/linear.js";
import { logSumExp } from "./operations/log-sum-exp.js";
import { matmul } from "./operations/matmul.js";
import { rmsNorm } from "./operations/rms-norm.js";
import { rotary } from "./operations/rotary.js";
import { scale } from "./operations/scale.js";
import { selectRows } from "./operations/select-rows.js";
import { type SequenceAttentionInputs, sequenceAttention } from "./operations/sequence-attention.js";
import { softCap } from "./operations/soft-cap.js";
import { planGraph } from "./plan.js";
import { capacityElements, type Tensor } from "./tensor.js";

const rows = 5;

/** The numbers of a fixture's sources in float64, by tensor. */
function valuesOf({ graph, inputs, plain, states }: Fixture): Map<Tensor, Floats | Int32Array> {
  const values = new Map<Tensor, Floats | Int32Array>();
  for (const [tensor, numbers] of inputs) {
    values.set(tensor, numbers instanceof Int32Array ? numbers : Float64Array.from(numbers));
  }
  for (const [name, numbers] of [...plain, ...states]) values.set(graph.find(name)!, Float64Array.from(numbers));
  return values;
}

/** Computes `outputs` of a fixture in float64 whenever it is called, with the values as they are then. */
function evaluator(fixture: Fixture, values: ReadonlyMap<Tensor, Floats | Int32Array>, outputs: readonly Tensor[]) {
  const plan = planGraph(outputs);
  const held = (tensor: Tensor) => ({ data: values.get(tensor)!, storage: "f32" as const, packed: false });
  const interpreter = new Interpreter(plan, Float64Array, held);
  return (): Float64Array[] => {
    for (const input of plan.inputs) interpreter.data(input).set(values.get(input)!);
    interpreter.run({ ...fixture.live, rows: fixture.rows.capacity });
    return outputs.map((output) => Float64Array.from(interpreter.data(output)));
  };
}

/** The slope of f at x, from four points: an error of the fourth order. */
function slopeAt(f: (x: number) => number, x: number): number {
  const h = 1e-3;
  return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h);
}

/** The largest difference between a rule's gradients and finite differences, relative to each gradient's largest element. */
function gradientError(build: (fixture: Fixture) => Tensor): number {
  const fixture = new Fixture(rows);
  const y = build(fixture);
  const seed = fixture.graph.input("rowWeights", y.shape, "f32");
  const random = new RandomNumbers(9);
  fixture.inputs.set(
    seed,
    Float32Array.from({ length: capacityElements(seed) }, () => random.normal()),
  );
  const values = valuesOf(fixture);
  const sources = [...values.keys()].filter((tensor) => tensor.type === "f32" && tensor !== seed);
  const gradients = differentiate(y, seed, sources);
  expect([...gradients.keys()], "every source has a gradient").toEqual(sources);
  const exact = evaluator(fixture, values, [...gradients.values()])();
  const evaluate = evaluator(fixture, values, [y]);
  const total = (): number => {
    const [result] = evaluate();
    return result!.reduce((sum, value, i) => sum + value * values.get(seed)![i]!, 0);
  };
  return Math.max(...sources.map((source, index) => sourceError(values.get(source)!, exact[index]!, total)));
}

function sourceError(numbers: Floats | Int32Array, gradient: Float64Array, total: () => number): number {
  const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(largest, "a gradient that is not zero").toBeGreaterThan(0);
  let worst = 0;
  for (let i = 0; i < numbers.length; i++) {
    const at = numbers[i]!;
    const slope = slopeAt((x) => {
      numbers[i] = x;
      return total();
    }, at);
    numbers[i] = at;
    worst = Math.max(worst, Math.abs(slope - gradient[i]!) / largest);
  }
  return worst;
}

/** Normal numbers that are not near zero, where relu has a corner. */
function apart({ random }: Fixture): () => number {
  return () => {
    const value = random.normal();
    return value + 0.1 * Math.sign(value);
  };
}

const attentionKinds = ["causal", "both", "cross", "window", "soft cap", "grouped heads", "relative"] as const;

function attentionOf(fixture: Fixture, kind: (typeof attentionKinds)[number]): Tensor {
  const grouped = kind === "grouped heads" || kind === "relative";
  const keyValueHeadCount = grouped ? 1 : 2;
  const keys = kind === "cross" ? fixture.dimension("keys", 7) : fixture.rows;
  const [first, end] =
    kind === "cross"
      ? [
          [0, 2, 3, 3, 0],
          [7, 5, 4, 3, 6],
        ]
      : [[0, 0, 0, 3, 3], kind === "both" || kind === "relative" ? [3, 3, 3, 5, 5] : [1, 2, 3, 4, 5]];
  const inputs: SequenceAttentionInputs = {
    query: fixture.operand("query", 8),
    key: fixture.tensor("key", [keys, 4 * keyValueHeadCount]),
    value: fixture.tensor("value", [keys, 4 * keyValueHeadCount]),
    first: fixture.integers("first", [fixture.rows], first),
    end: fixture.integers("end", [fixture.rows], end),
    relative:
      kind !== "relative"
        ? undefined
        : {
            positions: fixture.integers("positions", [fixture.rows], [0, 1, 2, 0, 1]),
            buckets: fixture.graph.constant("buckets", [3], Int32Array.of(2, 0, 1)),
            bias: fixture.vector("bias", [3, 2]),
          },
  };
  const attributes = { headCount: 2, keyValueHeadCount, headDim: 4, scale: 0.5 };
  return sequenceAttention(inputs, {
    ...attributes,
    softCap: kind === "soft cap" ? 1.5 : 0,
    window: kind === "window" ? 2 : 0,
  });
}

const targets = (fixture: Fixture) => fixture.integers("targets", [fixture.rows], [3, -1, 0, 6, 3]);

/** For every operation that has a rule, the ways in which it is used. */
const uses: Readonly<Record<string, Readonly<Record<string, (fixture: Fixture) => Tensor>>>> = {
  activation: Object.fromEntries(
    activationKinds.map((kind) => [kind, (f: Fixture) => activation(f.operand("x", 6, apart(f)), kind)]),
  ),
  add: {
    "of two": (f) => add(f.operand("a", 4), f.operand("b", 4)),
    "of one, twice": (f) => {
      const x = f.operand("x", 4);
      return add(x, x);
    },
  },
  "cross-entropy": {
    plain: (f) => crossEntropy(f.operand("logits", 7), targets(f)),
    "label smoothing": (f) => crossEntropy(f.operand("logits", 7), targets(f), { labelSmoothing: 0.1 }),
    "z-loss": (f) => crossEntropy(f.operand("logits", 7), targets(f), { labelSmoothing: 0.2, zLoss: 0.3 }),
  },
  dropout: {
    "a third": (f) => dropout(f.operand("x", 6), f.integers("seed", [2], [5, 6]), { rate: 0.3, stream: 1 }),
  },
  embedding: {
    scaled: (f) =>
      embedding(f.plainMatrix("table", 4, 3), f.integers("ids", [f.rows], [1, 3, 1, 0, 1]), { scale: 1.7 }),
  },
  "gated-activation": Object.fromEntries(
    activationKinds.map((kind) => [
      kind,
      (f: Fixture) => gatedActivation(f.operand("gate", 5, apart(f)), f.operand("up", 5), kind),
    ]),
  ),
  "layer-norm": {
    bias: (f) => layerNorm(f.operand("x", 6), f.vector("weight", [6]), f.vector("bias", [6]), { eps: 1e-5 }),
    "no bias": (f) => layerNorm(f.operand("x", 6), f.vector("weight", [6]), undefined, { eps: 1e-2 }),
  },
  linear: {
    bias: (f) => linear(f.operand("x", 4), f.plainMatrix("weight", 3, 4), f.vector("bias", [3])),
    "no bias": (f) => linear(f.operand("x", 4), f.plainMatrix("weight", 3, 4)),
    "of one weight, twice": (f) => {
      const weight = f.plainMatrix("weight", 4, 4);
      return linear(linear(f.operand("x", 4), weight), weight);
    },
  },
  "log-sum-exp": { "of a row": (f) => logSumExp(f.operand("x", 6)) },
  matmul: {
    none: (f) => matmul(f.operand("a", 4), f.tensor("b", [4, 3])),
    left: (f) => matmul(f.operand("a", 4), f.operand("b", 3), "left"),
    right: (f) => matmul(f.operand("a", 4), f.tensor("b", [3, 4]), "right"),
  },
  "rms-norm": {
    "of rows": (f) => rmsNorm(f.operand("x", 6), f.vector("weight", [6]), { eps: 1e-5 }),
    "of heads": (f) => rmsNorm(f.operand("x", 6), f.vector("weight", [3]), { eps: 1e-5, groups: 2 }),
  },
  rotary: Object.fromEntries(
    (["half", "interleaved"] as const).flatMap((layout) =>
      [false, true].map((inverse) => [
        `${layout}${inverse ? ", back" : ""}`,
        (f: Fixture) => {
          const angles = Float32Array.from({ length: 8 }, () => f.random.normal());
          const table = f.graph.constant("angles", [2, 4], angles);
          const positions = f.integers("positions", [f.rows], [0, 1, 1, 0, 1]);
          return rotary(f.operand("x", 12), positions, table, { headDim: 6, rotaryDim: 4, layout, inverse });
        },
      ]),
    ),
  ),
  scale: { "by a number": (f) => scale(f.operand("x", 3), -1.3) },
  "select-rows": {
    "one of them twice": (f) =>
      selectRows(f.operand("x", 3), f.integers("taken", [f.dimension("outputs", 3)], [4, 0, 4])),
  },
  "sequence-attention": Object.fromEntries(attentionKinds.map((kind) => [kind, (f: Fixture) => attentionOf(f, kind)])),
  "soft-cap": { "at 2": (f) => softCap(f.operand("x", 4), 2) },
};

describe("gradient rules", () => {
  for (const [name, operation] of operations) {
    if (operation.gradient === undefined) {
      test(`${name} has none, and says so`, () => {
        const fixture = new Fixture(rows);
        const [output] = [
          allCases
            .find((each) => each.operation === name)!
            .cases.at(-1)!
            .build(fixture),
        ].flat();
        const { node } = output!.origin as Extract<Tensor["origin"], { kind: "result" }>;
        const seed = fixture.graph.input("rowWeights", output!.shape, "f32");
        const wrt = node.inputs.filter(({ type }) => type === "f32");
        expect(() => differentiate(output!, seed, wrt)).toThrow(NoGradientError);
        expect(() => differentiate(output!, seed, wrt)).toThrow(name);
      });
      continue;
    }
    test.each(Object.entries(uses[name] ?? {}))(`${name} as finite differences: %s`, (_, build) => {
      expect(gradientError(build)).toBeLessThan(1e-6);
    });
    test(`${name} is among those tested`, () => expect(Object.keys(uses[name] ?? {})).not.toEqual([]));
  }
});

describe("differentiate", () => {
  /** y = activation(x · Aᵀ) · Aᵀ + bias, of one matrix used twice. */
  function network() {
    const fixture = new Fixture(rows);
    const [x, weight, unused] = [fixture.operand("x", 4), fixture.plainMatrix("weight", 4, 4), fixture.operand("z", 4)];
    const bias = fixture.vector("bias", [4]);
    const inner = fixture.graph.scope("block.", () => activation(linear(x, weight), "silu"));
    const y = linear(inner, weight, bias);
    const seed = fixture.operand("seed", 4);
    return { fixture, x, weight, unused, bias, inner, y, seed };
  }

  test("gives gradients of results too, and none of what a result does not depend on", () => {
    const { y, seed, inner, unused, weight, fixture } = network();
    const gradients = differentiate(y, seed, [inner, unused, weight]);
    expect([...gradients.keys()]).toEqual([inner, weight]);
    const [expected, actual] = evaluator(fixture, valuesOf(fixture), [matmul(seed, weight), gradients.get(inner)!])();
    expect(actual).toEqual(expected);
  });

  test("adds gradients to states, run after run", () => {
    const { y, seed, weight, bias, fixture } = network();
    const gradients = differentiate(y, seed, [weight, bias]);
    const sums = accumulateGradients(y, seed, [weight, bias]);
    const values = valuesOf(fixture);
    for (const parameter of [weight, bias]) {
      const state = fixture.graph.find(gradientName(parameter.name))!;
      values.set(state, new Float64Array(capacityElements(parameter)));
    }
    const expected = evaluator(fixture, values, [...gradients.values()])();
    const add = evaluator(fixture, values, [...sums.values()]);
    add();
    const twice = add();
    for (const [index, sum] of twice.entries()) {
      for (const [i, value] of sum.entries()) expect(value).toBeCloseTo(2 * expected[index]![i]!, 12);
    }
  });

  test("what is computed again is not kept: it gives the same gradients without the first results", () => {
    const { y, seed, weight, fixture } = network();
    const kept = differentiate(y, seed, [weight]).get(weight)!;
    const again = differentiate(y, seed, [weight], { recompute: ["block."] }).get(weight)!;
    // What leaves the block is kept; what the activation was of is computed once for that, and once again.
    const maps = (tensor: Tensor) => planGraph([tensor]).nodes.filter(({ operation }) => operation === "linear").length;
    expect([maps(kept), maps(again)]).toEqual([1, 2]);
    const [expected, actual] = evaluator(fixture, valuesOf(fixture), [kept, again])();
    expect(actual).toEqual(expected);
  });
});
