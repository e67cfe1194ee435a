/** The loss and its gradient. */
import { type CrossEntropyAttributes, crossEntropy } from "../../../graph/operations/cross-entropy.js";
import { crossEntropyGradient } from "../../../graph/operations/gradients/cross-entropy-gradient.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";
import { awkwardRows, awkwardWidths, over } from "../sizes.js";

export interface LossSize extends CrossEntropyAttributes {
  readonly rows: number;
  readonly width: number;
}

function operands(fixture: Fixture, { rows, width }: LossSize) {
  const logits = fixture.operand("logits", width, () => 4 * fixture.random.normal());
  const targets = Array.from({ length: rows }, (_, row) => (row % 4 === 1 ? -1 : fixture.random.below(width)));
  return { logits, targets: fixture.integers("targets", [fixture.rows], targets) };
}

function titleOf({ rows, width, labelSmoothing, zLoss }: LossSize): string {
  return `${rows}×${width}, label smoothing ${labelSmoothing}, z-loss ${zLoss}`;
}

export function crossEntropyCase(size: LossSize): ConformanceCase {
  return {
    operation: "cross-entropy",
    title: titleOf(size),
    rows: size.rows,
    tolerance: 2e-6,
    magnitude: 4 + 100 * size.zLoss,
    build: (fixture) => {
      const { logits, targets } = operands(fixture, size);
      return crossEntropy(logits, targets, size);
    },
  };
}

export function crossEntropyGradientCase(size: LossSize): ConformanceCase {
  const { labelSmoothing, zLoss } = size;
  return {
    operation: "cross-entropy-gradient",
    title: titleOf(size),
    rows: size.rows,
    tolerance: 4e-6,
    magnitude: 1,
    build: (fixture) => {
      const { logits, targets } = operands(fixture, size);
      return crossEntropyGradient(logits, targets, fixture.operand("dloss", 1), { labelSmoothing, zLoss });
    },
  };
}

const sizes: readonly LossSize[] = [
  ...over(awkwardRows, awkwardWidths, (rows, width) => ({ rows, width, labelSmoothing: 0, zLoss: 0 })),
  ...over([0.1, 0], [1e-4, 0.5], (labelSmoothing, zLoss) => ({ rows: 9, width: 100, labelSmoothing, zLoss })),
  { rows: 9, width: 1001, labelSmoothing: 0.1, zLoss: 0 },
];

export const lossCases: readonly OperationCases[] = [
  { operation: "cross-entropy", cases: sizes.map(crossEntropyCase) },
  { operation: "cross-entropy-gradient", cases: sizes.map(crossEntropyGradientCase) },
];
