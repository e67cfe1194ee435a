/** Operations that write states in place: sums of gradients, and the steps of optimizers. */
import { accumulate } from "../../../graph/operations/accumulate.js";
import { columnSums } from "../../../graph/operations/column-sums.js";
import { embeddingGradient } from "../../../graph/operations/gradients/embedding-gradient.js";
import { matmul } from "../../../graph/operations/matmul.js";
import { adamW } from "../../../graph/operations/optimizers/adamw.js";
import { applyUpdate } from "../../../graph/operations/optimizers/apply-update.js";
import { lion } from "../../../graph/operations/optimizers/lion.js";
import { momentum } from "../../../graph/operations/optimizers/momentum.js";
import { movingAverage } from "../../../graph/operations/optimizers/moving-average.js";
import { sgd } from "../../../graph/operations/optimizers/sgd.js";
import { unitNorm } from "../../../graph/operations/unit-norm.js";
import type { Tensor } from "../../../graph/tensor.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";

/** Elements of a parameter: rows and width, or a vector. */
export type UpdateShape = readonly number[];

/** What is accumulated comes from an input, or straight from what a backend may add at once. */
export const contributions = ["input", "matmul", "column-sums", "embedding-gradient"] as const;
export type Contribution = (typeof contributions)[number];

export function accumulateCase(from: Contribution, rows: number, shape: UpdateShape): ConformanceCase {
  const width = shape.at(-1)!;
  const contribute = (fixture: Fixture): Tensor => {
    if (from === "input") return fixture.tensor("x", shape);
    const dy = fixture.operand("dy", from === "matmul" ? shape[0]! : width);
    if (from === "matmul") return matmul(dy, fixture.operand("x", width), "left");
    if (from === "column-sums") return columnSums(dy);
    const ids = Array.from({ length: rows }, () => fixture.random.below(shape[0]!));
    return embeddingGradient(fixture.integers("ids", [fixture.rows], ids), dy, { rows: shape[0]!, scale: 1 });
  };
  return {
    operation: "accumulate",
    title: `${from} of ${rows} rows into [${shape.join(", ")}]`,
    rows,
    whole: true,
    tolerance: 2e-6,
    magnitude: Math.sqrt(Math.max(1, rows)),
    build: (fixture) => accumulate(fixture.state("sum", shape), contribute(fixture)),
  };
}

const updates = {
  adamw: (fixture, shape, decay) => {
    const square = Float32Array.from({ length: elementsOf(shape) }, () => fixture.random.normal() ** 2);
    return adamW(
      {
        parameter: fixture.state("parameter", shape),
        mean: fixture.state("mean", shape),
        square: fixture.state("square", shape, square),
        gradient: fixture.state("gradient", shape),
      },
      scalars(fixture, [1e-2, 0.9, 0.99, 1e-8, 0.1, 0.19, 0.0199, 0.5]),
      { decay },
    );
  },
  sgd: (fixture, shape, decay, nesterov) =>
    sgd(
      {
        parameter: fixture.state("parameter", shape),
        velocity: fixture.state("velocity", shape),
        gradient: fixture.state("gradient", shape),
      },
      scalars(fixture, [1e-2, 0.9, 0.1, 0.5]),
      { decay, nesterov },
    ),
  lion: (fixture, shape, decay) =>
    lion(
      {
        parameter: fixture.state("parameter", shape),
        mean: fixture.state("mean", shape),
        gradient: fixture.state("gradient", shape),
      },
      scalars(fixture, [1e-2, 0.9, 0.99, 0.1, 0.5]),
      { decay },
    ),
  momentum: (fixture, shape, _decay, nesterov) =>
    momentum(fixture.state("velocity", shape), fixture.state("gradient", shape), scalars(fixture, [0.95, 0.5]), {
      nesterov,
    }),
  "apply-update": (fixture, shape, decay) =>
    applyUpdate(
      fixture.state("parameter", shape),
      fixture.tensor("update", shape),
      scalars(fixture, [1e-2, 0.2, 0.1]),
      { decay },
    ),
  "unit-norm": (fixture, shape) => unitNorm(fixture.tensor("x", shape)),
  "moving-average": (fixture, shape) =>
    movingAverage(fixture.state("average", shape), fixture.state("parameter", shape), scalars(fixture, [0.99])),
} satisfies Record<string, (fixture: Fixture, shape: UpdateShape, decay: 0 | 1, nesterov: boolean) => Tensor>;

export type Update = keyof typeof updates;
export const updateKinds = Object.keys(updates) as Update[];

function elementsOf(shape: UpdateShape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function scalars(fixture: Fixture, values: readonly number[]): Tensor {
  const input = fixture.graph.input("scalars", [values.length], "f32");
  fixture.inputs.set(input, Float32Array.from(values));
  return input;
}

export function updateCase(operation: Update, decay: 0 | 1, nesterov: boolean, shape: UpdateShape): ConformanceCase {
  return {
    operation,
    title: `[${shape.join(", ")}], ${decay === 1 ? "decay" : "no decay"}${nesterov ? ", Nesterov" : ""}`,
    rows: 1,
    whole: true,
    tolerance: 2e-6,
    magnitude: 1,
    build: (fixture) => updates[operation](fixture, shape, decay, nesterov),
  };
}

const shapes: readonly UpdateShape[] = [[1], [15], [16], [17], [100], [5, 33], [33, 64], [130, 300]];

export const updateCases: readonly OperationCases[] = [
  {
    operation: "accumulate",
    cases: [
      ...shapes.map((shape) => accumulateCase("input", 0, shape)),
      ...[0, 1, 17, 129].flatMap((rows) => [
        accumulateCase("matmul", rows, [33, 40]),
        accumulateCase("column-sums", rows, [40]),
        accumulateCase("embedding-gradient", rows, [9, 40]),
      ]),
    ],
  },
  ...updateKinds.map((kind) => ({
    operation: kind,
    cases: shapes.flatMap((shape) => [updateCase(kind, 0, false, shape), updateCase(kind, 1, true, shape)]),
  })),
];
