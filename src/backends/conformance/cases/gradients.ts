/** Gradients of operations that treat rows or elements alone, and of those that move rows. */
import { type ActivationKind, activationKinds } from "../../../graph/operations/activation.js";
import { columnSums } from "../../../graph/operations/column-sums.js";
import { dropout } from "../../../graph/operations/dropout.js";
import { activationGradient } from "../../../graph/operations/gradients/activation-gradient.js";
import { embeddingGradient } from "../../../graph/operations/gradients/embedding-gradient.js";
import { gatedActivationGradient } from "../../../graph/operations/gradients/gated-activation-gradient.js";
import { layerNormGradient } from "../../../graph/operations/gradients/layer-norm-gradient.js";
import { logSumExpGradient } from "../../../graph/operations/gradients/log-sum-exp-gradient.js";
import { rmsNormGradient } from "../../../graph/operations/gradients/rms-norm-gradient.js";
import { scatterRows } from "../../../graph/operations/gradients/scatter-rows.js";
import { softCapGradient } from "../../../graph/operations/gradients/soft-cap-gradient.js";
import { rowSquares } from "../../../graph/operations/row-squares.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";
import { awkwardRows, awkwardWidths, over } from "../sizes.js";

export interface GradientSize {
  readonly rows: number;
  readonly width: number;
}

/** Sums over rows of terms of magnitude one. */
function sumOf({ rows }: { rows: number }): number {
  return Math.sqrt(Math.max(1, rows));
}

/** What gradients of a norm are about: few elements may be nearly equal, or zero, and are then divided by about √ε. */
function normSlope(width: number): number {
  return width <= 4 ? 300 : 1;
}

export function rmsNormGradientCase(groups: number, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "rms-norm-gradient",
    title: `${groups} groups of ${width}, ${rows} rows`,
    rows,
    tolerance: 4e-6,
    magnitude: [normSlope(width), sumOf({ rows: rows * groups })],
    build: (fixture) => {
      const weight = fixture.vector("weight", [width]);
      const [x, dy] = [fixture.operand("x", groups * width), fixture.operand("dy", groups * width)];
      return rmsNormGradient(x, weight, dy, { eps: 1e-5, groups });
    },
  };
}

export function layerNormGradientCase(bias: boolean, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "layer-norm-gradient",
    title: `${rows}×${width}, ${bias ? "bias" : "no bias"}`,
    rows,
    tolerance: 1e-5,
    magnitude: [normSlope(width), sumOf({ rows }), sumOf({ rows })],
    build: (fixture) => {
      // Away from zero, as activations are.
      const x = fixture.operand("x", width, () => 3 + fixture.random.normal());
      return layerNormGradient(x, fixture.vector("weight", [width]), fixture.operand("dy", width), { eps: 1e-5, bias });
    },
  };
}

/** Normal numbers of a wide spread, with zeros and magnitudes where exponentials overflow. */
function wide({ random }: Fixture): () => number {
  const special = [0, 20, -20, 88.8, -88.8, 104, -104, 1e-20, -1e-20, 1e4, -1e4];
  return () => (random.below(16) === 0 ? special[random.below(special.length)]! : 4 * random.normal());
}

export function activationGradientCase(kind: ActivationKind, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "activation-gradient",
    title: `${kind}, ${rows}×${width}`,
    rows,
    tolerance: 2e-6,
    magnitude: 1,
    build: (fixture) =>
      activationGradient(fixture.operand("x", width, wide(fixture)), fixture.operand("dy", width), kind),
  };
}

export function gatedActivationGradientCase(kind: ActivationKind, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "gated-activation-gradient",
    title: `${kind}, ${rows}×${width}`,
    rows,
    // A slope of GELU is a sum of terms larger than itself; among many random rows 2.003e-6 was seen.
    tolerance: 3e-6,
    magnitude: 1,
    build: (fixture) => {
      const [gate, up] = [fixture.operand("gate", width, wide(fixture)), fixture.operand("up", width)];
      return gatedActivationGradient(gate, up, fixture.operand("dy", width), kind);
    },
  };
}

export function softCapGradientCase(cap: number, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "soft-cap-gradient",
    title: `at ${cap}, ${rows}×${width}`,
    rows,
    tolerance: 2e-6,
    magnitude: 1,
    build: (fixture) => softCapGradient(fixture.operand("x", width, wide(fixture)), fixture.operand("dy", width), cap),
  };
}

export function logSumExpGradientCase({ rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "log-sum-exp-gradient",
    title: `${rows}×${width}`,
    rows,
    tolerance: 4e-6,
    build: (fixture) =>
      logSumExpGradient(
        fixture.operand("x", width, () => 4 * fixture.random.normal()),
        fixture.operand("dy", 1),
      ),
  };
}

export function columnSumsCase({ rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "column-sums",
    title: `${rows}×${width}`,
    rows,
    tolerance: 2e-6,
    magnitude: sumOf({ rows }),
    build: (fixture) => columnSums(fixture.operand("x", width)),
  };
}

/** @param vector - one row, given as a vector, of a state */
export function rowSquaresCase(vector: boolean, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "row-squares",
    title: vector ? `vector of ${width}` : `${rows}×${width}`,
    rows: vector ? 1 : rows,
    tolerance: 2e-6,
    build: (fixture) => rowSquares(vector ? fixture.state("x", [width]) : fixture.operand("x", width)),
  };
}

export interface EmbeddingGradientSize extends GradientSize {
  readonly tableRows: number;
  readonly scale?: number;
}

export function embeddingGradientCase({ rows, width, tableRows, scale = 1 }: EmbeddingGradientSize): ConformanceCase {
  return {
    operation: "embedding-gradient",
    title: `${rows} rows into ${tableRows}×${width}, scale ${scale}`,
    rows,
    tolerance: 2e-6,
    magnitude: scale,
    build: (fixture) => {
      const ids = Array.from({ length: rows }, (_, i) => (i === 0 ? tableRows - 1 : fixture.random.below(tableRows)));
      const dy = fixture.operand("dy", width);
      return embeddingGradient(fixture.integers("ids", [fixture.rows], ids), dy, { rows: tableRows, scale });
    },
  };
}

/** @param extent - rows of the result; some of those named are named twice */
export function scatterRowsCase(extent: number, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "scatter-rows",
    title: `${rows} of ${extent}×${width}`,
    rows,
    tolerance: 1e-6,
    magnitude: 1,
    build: (fixture) => {
      const tokens = fixture.dimension("tokens", extent);
      const taken = Array.from({ length: rows }, () => fixture.random.below(extent));
      return scatterRows(fixture.operand("dy", width), fixture.integers("taken", [fixture.rows], taken), tokens);
    },
  };
}

export function dropoutCase(rate: number, { rows, width }: GradientSize): ConformanceCase {
  return {
    operation: "dropout",
    title: `rate ${rate}, ${rows}×${width}`,
    rows,
    whole: true,
    tolerance: 0,
    build: (fixture) =>
      dropout(fixture.operand("x", width), fixture.integers("seed", [2], [12345, -67]), { rate, stream: 3 }),
  };
}

const sizes: readonly GradientSize[] = over(awkwardRows, awkwardWidths, (rows, width) => ({ rows, width }));
/** Rows enough for sums over them to be divided. */
const tall: readonly GradientSize[] = [
  { rows: 300, width: 40 },
  { rows: 129, width: 97 },
];

export const gradientCases: readonly OperationCases[] = [
  {
    operation: "rms-norm-gradient",
    cases: [
      ...[...sizes, ...tall].map((size) => rmsNormGradientCase(1, size)),
      ...over([2, 3, 8], [4, 6, 10, 64], (groups, width) => rmsNormGradientCase(groups, { rows: 5, width })),
    ],
  },
  {
    operation: "layer-norm-gradient",
    cases: [true, false].flatMap((bias) => [...sizes, ...tall].map((size) => layerNormGradientCase(bias, size))),
  },
  {
    operation: "activation-gradient",
    cases: activationKinds.flatMap((kind) => sizes.map((size) => activationGradientCase(kind, size))),
  },
  {
    operation: "gated-activation-gradient",
    cases: activationKinds.flatMap((kind) => sizes.map((size) => gatedActivationGradientCase(kind, size))),
  },
  {
    operation: "soft-cap-gradient",
    cases: [2, 30].flatMap((cap) => sizes.map((size) => softCapGradientCase(cap, size))),
  },
  { operation: "log-sum-exp-gradient", cases: sizes.map(logSumExpGradientCase) },
  { operation: "column-sums", cases: [...sizes, ...tall].map(columnSumsCase) },
  {
    operation: "row-squares",
    cases: [false, true].flatMap((vector) => [...sizes, ...tall].map((size) => rowSquaresCase(vector, size))),
  },
  {
    operation: "embedding-gradient",
    cases: [
      ...sizes.map((size) => embeddingGradientCase({ ...size, tableRows: 7 })),
      ...tall.map((size) => embeddingGradientCase({ ...size, tableRows: 50, scale: 6 })),
      embeddingGradientCase({ rows: 5, width: 40, tableRows: 1 }),
    ],
  },
  { operation: "scatter-rows", cases: sizes.map((size) => scatterRowsCase(9, size)) },
  {
    operation: "dropout",
    cases: [0, 0.1, 0.5].flatMap((rate) => [...sizes, ...tall].map((size) => dropoutCase(rate, size))),
  },
];
