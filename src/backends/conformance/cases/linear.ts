/** Linear maps in every storage type. */
import { linear } from "../../../graph/operations/linear.js";
import type { ConformanceCase, OperationCases } from "../fixture.js";
import { awkwardRows, over } from "../sizes.js";
import { blockOf, type KnownStorage, knownStorage } from "../stored-values.js";
import { plainLinearCases } from "./products.js";

export interface LinearSize {
  readonly rows: number;
  readonly width: number;
  readonly out: number;
  readonly bias?: boolean;
}

/** A row's sums have about √width terms of magnitude one that do not cancel; errors are measured against that. */
export function linearCase(storage: KnownStorage, { rows, width, out, bias = false }: LinearSize): ConformanceCase {
  return {
    operation: "linear",
    storage,
    title: `${storage}, ${rows}×${width} to ${out}${bias ? ", bias" : ""}`,
    rows,
    large: rows * width * out > 1e6,
    tolerance: 2e-6,
    magnitude: Math.sqrt(width) * (storage === "f32" ? 1 : 0.25),
    build: (fixture) => {
      const x = fixture.operand("x", width);
      const weight = fixture.matrix("weight", out, width, storage);
      return linear(x, weight, bias ? fixture.vector("bias", [out]) : undefined);
    },
  };
}

/** Widths by elements in a block. */
const widthsOf: Readonly<Record<number, readonly number[]>> = {
  1: [1, 15, 16, 17, 33, 100, 288],
  32: [32, 64, 96, 288],
  256: [256, 512],
};

function sizesFor(storage: KnownStorage): LinearSize[] {
  const block = blockOf(storage);
  const widths = widthsOf[block]!;
  const least = Math.max(block, 64);
  // Shapes that share their rows out among threads and outgrow every cache blocking.
  const large: readonly LinearSize[] = [
    { rows: 70, width: block > 32 ? 256 : 288, out: 768 },
    { rows: block > 32 ? 8 : 3, width: block > 32 ? 1280 : 1056, out: 416, bias: true },
  ];
  return [
    ...over(awkwardRows, widths, (rows, width) => ({ rows, width, out: 33, bias: rows === 5 })),
    ...over([1, 4, 17], [1, 15, 16, 17, 31, 64, 100], (rows, out) => ({ rows, width: least, out, bias: rows === 4 })),
    ...large,
  ];
}

export const linearCases: readonly OperationCases[] = [
  {
    operation: "linear",
    cases: [
      ...knownStorage.flatMap((storage) => sizesFor(storage).map((size) => linearCase(storage, size))),
      ...plainLinearCases,
    ],
  },
];
