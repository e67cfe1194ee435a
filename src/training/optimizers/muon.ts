/**
 * Muon: the momentum of a matrix, orthogonalised, is the direction to go. Jordan et al., 2024,
 * "Muon: An optimizer for hidden layers in neural networks".
 */
import { add } from "../../graph/operations/add.js";
import { matmul } from "../../graph/operations/matmul.js";
import { applyUpdate, applyUpdateScalars } from "../../graph/operations/optimizers/apply-update.js";
import { momentum, momentumScalars } from "../../graph/operations/optimizers/momentum.js";
import { scale } from "../../graph/operations/scale.js";
import { unitNorm } from "../../graph/operations/unit-norm.js";
import type { Tensor } from "../../graph/tensor.js";
import type { UpdateRule } from "./rule.js";

/** Of Jordan's quintic iteration: steep at zero, at the price of singular values that end between 0.7 and 1.2. */
const coefficients = { a: 3.4445, b: -4.775, c: 2.0315 };
const iterations = 5;

/**
 * Newton–Schulz: x ← a·x + (b·(x·xᵀ) + c·(x·xᵀ)²)·x, which draws all singular values towards one.
 * @param x - [rows, columns]
 * @returns [rows, columns]
 */
export function orthogonalised(x: Tensor): Tensor {
  const [rows, columns] = x.shape as readonly [number, number];
  const isWide = rows <= columns;
  const { a, b, c } = coefficients;
  let y = unitNorm(x);
  for (let i = 0; i < iterations; i++) {
    // The smaller of the two products of y with itself.
    const square = isWide ? matmul(y, y, "right") : matmul(y, y, "left");
    const polynomial = add(scale(square, b), scale(matmul(square, square), c));
    const turned = isWide ? matmul(polynomial, y) : matmul(y, polynomial);
    y = add(scale(y, a), turned);
  }
  return y;
}

export function muonRule(settings: {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}): UpdateRule {
  const { learningRate, nesterov, weightDecay } = settings;
  return {
    name: "muon",
    kept: ["velocity"],
    scalars: { momentum: momentumScalars.length, update: applyUpdateScalars.length },
    update({ parameter, gradient, kept, scalars, decay }) {
      const [rows, columns] = parameter.shape as readonly [number, number];
      const direction = orthogonalised(momentum(kept.velocity!, gradient, scalars.momentum!, { nesterov }));
      // Rows that outnumber columns each get less of an orthogonal matrix.
      const sized = scale(direction, Math.sqrt(Math.max(1, rows / columns)));
      return applyUpdate(parameter, sized, scalars.update!, { decay });
    },
    settings: ({ rateFactor, gradientScale }) => ({
      momentum: [settings.momentum, gradientScale],
      update: [learningRate * rateFactor, 1, weightDecay],
    }),
  };
}
