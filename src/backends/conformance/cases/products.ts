/** Products of plain matrices: `matmul`, and linear maps by weights that training changes. */
import type { Products } from "../../../graph/operation.js";
import { linear } from "../../../graph/operations/linear.js";
import { type MatmulAttributes, matmul } from "../../../graph/operations/matmul.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";
import { awkwardRows, over } from "../sizes.js";

export interface ProductSize {
  /** Rows of the operands that have a live dimension: rows of the result, or the terms of its sums. */
  readonly rows: number;
  readonly width: number;
  readonly out: number;
  readonly products?: Products;
  readonly bias?: boolean;
}

/** Left: aᵀ·b sums over the rows; otherwise each row of the result is a row of a times b. */
export function matmulCase(transposed: MatmulAttributes["transposed"], size: ProductSize): ConformanceCase {
  const { rows, width, out, products = "f32" } = size;
  const terms = transposed === "left" ? rows : width;
  const build = (fixture: Fixture) => {
    const a = fixture.operand("a", width);
    if (transposed === "left") return matmul(a, fixture.operand("b", out), "left");
    const shape = transposed === "right" ? [out, width] : [width, out];
    return matmul(a, fixture.tensor("b", shape), transposed);
  };
  return {
    operation: "matmul",
    title: `${transposed}, ${rows}×${width} and ${out}, ${products}`,
    rows,
    products,
    large: rows * width * out > 1e6,
    tolerance: 2e-6,
    magnitude: Math.sqrt(Math.max(1, terms)),
    build,
  };
}

export function plainLinearCase({ rows, width, out, products = "f32", bias = false }: ProductSize): ConformanceCase {
  return {
    operation: "linear",
    title: `plain weights, ${rows}×${width} to ${out}${bias ? ", bias" : ""}, ${products}`,
    rows,
    products,
    large: rows * width * out > 1e6,
    tolerance: 2e-6,
    magnitude: Math.sqrt(width),
    build: (fixture) => {
      const x = fixture.operand("x", width);
      const weight = fixture.plainMatrix("weight", out, width);
      return linear(x, weight, bias ? fixture.vector("bias", [out]) : undefined);
    },
  };
}

const sizes: readonly ProductSize[] = (["f32", "bf16"] as const).flatMap((products) => [
  ...over([...awkwardRows, 33], [1, 2, 15, 16, 17, 31, 33, 64, 100], (rows, width) => ({
    rows,
    width,
    out: 33,
    products,
    bias: rows === 5,
  })),
  ...over([1, 17], [1, 15, 16, 17, 32, 100], (rows, out) => ({ rows, width: 40, out, products, bias: rows === 17 })),
  { rows: 70, width: 288, out: 768, products },
  { rows: 300, width: 65, out: 130, products, bias: true },
]);

export const productCases: readonly OperationCases[] = [
  {
    operation: "matmul",
    cases: (["none", "left", "right"] as const).flatMap((transposed) =>
      sizes.map((size) => matmulCase(transposed, size)),
    ),
  },
];

export const plainLinearCases: readonly ConformanceCase[] = sizes.map(plainLinearCase);
