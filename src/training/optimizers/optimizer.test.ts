/** Optimizers on a few weights, against their formulas worked out by hand. */
import { describe, expect, test } from "vitest";
import type { StateResource } from "../../backends/backend.js";
import { ReferenceBackend } from "../../backends/reference/reference-backend.js";
import { CounterRandom } from "../../core/random.js";
import { dequantize } from "../../formats/index.js";
import { optimizer as declared } from "../config/parts.js";
import type { TrainableParameter } from "../trainable-model.js";
import { Optimizer } from "./optimizer.js";

const backend = new ReferenceBackend(dequantize);

function parameter(name: string, shape: readonly number[], values: readonly number[]): TrainableParameter {
  const state = backend.allocateState(values.length);
  state.data.set(values);
  return { name, shape, state };
}

interface Setup {
  readonly optimizer: Optimizer;
  readonly weights: readonly Float32Array[];
  step(
    gradients: readonly (readonly number[])[],
    setting?: { rateFactor?: number; gradientScale?: number },
  ): Promise<void>;
}

function setUp(options: object, parameters: readonly TrainableParameter[], weightAverage = 0): Setup {
  const gradients = new Map<string, StateResource>(
    parameters.map(({ name, state }) => [name, backend.allocateState(state.data.length)]),
  );
  const optimizer = new Optimizer(backend, parameters, gradients, {
    optimizer: declared.read(options, "optimizer"),
    weightAverage,
    products: "f32",
  });
  optimizer.startAverages(parameters);
  let step = 0;
  return {
    optimizer,
    weights: parameters.map(({ state }) => state.data),
    async step(values, setting = {}) {
      for (const [i, { name }] of parameters.entries()) gradients.get(name)!.data.set(values[i]!);
      await optimizer.update({ step: ++step, rateFactor: 1, gradientScale: 1, ...setting });
      for (const { data } of gradients.values()) expect(data.every((value) => value === 0)).toBe(true);
    },
  };
}

const matrix = () => parameter("blocks.0.attention.query.weight", [2, 2], [1, -2, 3, -4]);
const vector = () => parameter("norm.weight", [2], [1, 1]);

describe("AdamW", () => {
  test("moves by its formula, and decays matrices alone", async () => {
    const options = { kind: "adamw", learningRate: 0.1, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0.5 };
    const { step, weights } = setUp(options, [matrix(), vector()]);
    const gradients = [0.5, -1];
    let [m, v, w, n] = [0, 0, 1, 1];
    for (const [i, g] of gradients.entries()) {
      await step([
        [g, 0, 0, 0],
        [g, 0],
      ]);
      m = 0.9 * m + 0.1 * g;
      v = 0.99 * v + 0.01 * g * g;
      const update = m / (1 - 0.9 ** (i + 1)) / (Math.sqrt(v / (1 - 0.99 ** (i + 1))) + 1e-8);
      w -= 0.1 * (update + 0.5 * w);
      n -= 0.1 * update;
      expect(weights[0]![0]).toBeCloseTo(w, 5);
      expect(weights[1]![0]).toBeCloseTo(n, 5);
    }
  });

  test("keeps means and squares for every weight, by name", () => {
    const { optimizer } = setUp({ kind: "adam" }, [vector()]);
    expect([...optimizer.states.keys()]).toEqual(["optimizer.mean.norm.weight", "optimizer.square.norm.weight"]);
    expect(optimizer.stateBytes).toBe(2 * 2 * 4);
  });
});

describe("the other rules", () => {
  test("stochastic gradient descent sums gradients, and looks ahead with Nesterov", async () => {
    for (const [nesterov, moved] of [
      [false, 1 + 1.9],
      [true, 1.9 + (1 + 0.9 * 1.9)],
    ] as const) {
      const { step, weights } = setUp({ kind: "sgd", learningRate: 0.1, momentum: 0.9, nesterov }, [vector()]);
      await step([[1, 0]]);
      await step([[1, 0]]);
      expect(weights[0]![0]).toBeCloseTo(1 - 0.1 * moved, 6);
    }
  });

  test("Lion moves every weight as far", async () => {
    const { step, weights } = setUp({ kind: "lion", learningRate: 0.01, weightDecay: 0 }, [matrix()]);
    await step([[3, -0.001, 5, 0.2]], { rateFactor: 0.5 });
    expect([...weights[0]!].map((value, i) => value - [1, -2, 3, -4][i]!)).toEqual(
      [-1, 1, -1, -1].map((sign) => expect.closeTo(0.005 * sign, 6)),
    );
  });
});

describe("Muon", () => {
  const shapes = [
    [3, 8],
    [8, 3],
    [4, 4],
  ] as const;

  test.each(shapes)(
    "goes along an orthogonal matrix of %i × %i, whatever the gradient's size",
    async (rows, columns) => {
      const values = Array.from({ length: rows * columns }, (_, i) => new CounterRandom(1).uniform(i) - 0.5);
      const hidden = parameter(
        "blocks.0.feedForward.up.weight",
        [rows, columns],
        values.map(() => 0),
      );
      const { step, weights } = setUp({ kind: "muon", learningRate: 1, weightDecay: 0 }, [hidden, vector()]);
      await step([values.map((value) => 1e-3 * value), [0, 0]]);
      const grow = Math.sqrt(Math.max(1, rows / columns));
      // Every singular value of the step lies near one: so does the mean of their squares, and of their fourth powers.
      const x = weights[0]!.map((value) => value / grow);
      const rank = Math.min(rows, columns);
      const square = x.reduce((sum, value) => sum + value * value, 0) / rank;
      expect(square).toBeGreaterThan(0.5);
      expect(square).toBeLessThan(1.3);
      const against = x.reduce((sum, value, i) => sum + value * values[i]!, 0);
      expect(against).toBeLessThan(0);
    },
  );

  test("leaves vectors and tables to AdamW", () => {
    const table = parameter("embedding.weight", [2, 2], [0, 0, 0, 0]);
    const { optimizer } = setUp({ kind: "muon" }, [table, matrix(), vector()]);
    expect([...optimizer.states.keys()]).toEqual([
      "optimizer.mean.embedding.weight",
      "optimizer.square.embedding.weight",
      "optimizer.velocity.blocks.0.attention.query.weight",
      "optimizer.mean.norm.weight",
      "optimizer.square.norm.weight",
    ]);
  });
});

describe("around the rules", () => {
  test("norms are those of each parameter, and of all together", async () => {
    const parameters = [matrix(), vector()];
    const gradients = new Map(parameters.map(({ name, state }) => [name, backend.allocateState(state.data.length)]));
    gradients.get("norm.weight")!.data.set([3, 0]);
    gradients.get("blocks.0.attention.query.weight")!.data.set([0, 0, 4, 0]);
    const options = { optimizer: declared.read({ kind: "adamw" }, ""), weightAverage: 0, products: "f32" } as const;
    const norms = await new Optimizer(backend, parameters, gradients, options).norms();
    expect(norms.total).toBe(5);
    expect([...norms.byParameter.values()]).toEqual([4, 3]);
  });

  test("gradients are scaled before all else", async () => {
    const { step, weights } = setUp({ kind: "sgd", learningRate: 1, momentum: 0 }, [vector()]);
    await step([[8, 0]], { gradientScale: 0.25 });
    expect(weights[0]![0]).toBe(1 - 2);
  });

  test("averages follow the weights: sooner at first, then as slowly as they are told", async () => {
    const { step, weights, optimizer } = setUp({ kind: "sgd", learningRate: 1, momentum: 0 }, [vector()], 0.25);
    await step([[1, 0]]);
    const average = optimizer.averages!.get("norm.weight")!.data;
    const first = 1 + (1 - 2 / 11) * (weights[0]![0]! - 1);
    expect(average[0]).toBeCloseTo(first, 6);
    await step([[0, 0]]);
    await step([[0, 0]]);
    const third = [1 - 3 / 12, 1 - 0.25].reduce((value, share) => value + share * (weights[0]![0]! - value), first);
    expect(average[0]).toBeCloseTo(third, 6);
  });
});
