/** Operations that reduce rows: normalisations, and what a softmax divides by. */

import { argmax } from "../../../graph/operations/argmax.js";
import { layerNorm } from "../../../graph/operations/layer-norm.js";
import { logSumExp } from "../../../graph/operations/log-sum-exp.js";
import { rmsNorm } from "../../../graph/operations/rms-norm.js";
import type { ConformanceCase, OperationCases } from "../fixture.js";
import { awkwardRows, awkwardWidths, over } from "../sizes.js";

export interface NormSize {
  readonly rows: number;
  readonly width: number;
  readonly eps?: number;
}

export function rmsNormCase(groups: number, { rows, width, eps = 1e-5 }: NormSize): ConformanceCase {
  return {
    operation: "rms-norm",
    title: `${groups} groups of ${width}, ${rows} rows, ε ${eps}`,
    rows,
    tolerance: 2e-6,
    build: (fixture) =>
      rmsNorm(fixture.operand("x", groups * width), fixture.vector("weight", [width]), { eps, groups }),
  };
}

export function layerNormCase(withBias: boolean, { rows, width, eps = 1e-5 }: NormSize): ConformanceCase {
  return {
    operation: "layer-norm",
    title: `${rows}×${width}, ${withBias ? "bias" : "no bias"}, ε ${eps}`,
    rows,
    tolerance: 4e-6,
    magnitude: 1,
    build: (fixture) => {
      // Away from zero, as activations are: the mean has to be taken off before squaring.
      const x = fixture.operand("x", width, () => 3 + fixture.random.normal());
      const weight = fixture.vector("weight", [width]);
      return layerNorm(x, weight, withBias ? fixture.vector("bias", [width]) : undefined, { eps });
    },
  };
}

export function logSumExpCase(spread: number, { rows, width }: NormSize): ConformanceCase {
  return {
    operation: "log-sum-exp",
    title: `${rows}×${width}, spread ${spread}`,
    rows,
    tolerance: 1e-6,
    magnitude: Math.max(1, spread),
    build: (fixture) => logSumExp(fixture.operand("x", width, () => spread * fixture.random.normal())),
  };
}

/** Few distinct numbers, so that the largest stands in several places. */
export function argmaxCase(spread: number, { rows, width }: NormSize): ConformanceCase {
  return {
    operation: "argmax",
    title: `${rows}×${width}, spread ${spread}`,
    rows,
    tolerance: 0,
    magnitude: 1,
    build: (fixture) =>
      argmax(fixture.operand("x", width, () => Math.round(spread * fixture.random.normal()) - spread)),
  };
}

const sizes: readonly NormSize[] = over(awkwardRows, awkwardWidths, (rows, width) => ({ rows, width }));

export const normCases: readonly OperationCases[] = [
  {
    operation: "rms-norm",
    cases: [
      ...sizes.map((size) => rmsNormCase(1, size)),
      ...over([2, 3, 8], [4, 6, 10, 64], (groups, width) => rmsNormCase(groups, { rows: 5, width, eps: 1e-6 })),
    ],
  },
  { operation: "log-sum-exp", cases: [1, 40].flatMap((spread) => sizes.map((size) => logSumExpCase(spread, size))) },
  { operation: "argmax", cases: [1, 1000].flatMap((spread) => sizes.map((size) => argmaxCase(spread, size))) },
  { operation: "layer-norm", cases: [true, false].flatMap((bias) => sizes.map((size) => layerNormCase(bias, size))) },
];
