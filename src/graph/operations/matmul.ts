/**
 * The product of two matrices that are both results, states or inputs: what the backward pass of `linear` is made of.
 *
 * Sums run over k in an order that the shape fixes. With products in bfloat16, both operands are rounded to it first.
 */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, factors, floats } from "../operation.js";
import { type Extent, sameExtent, showShape, type Tensor } from "../tensor.js";

export interface MatmulAttributes {
  /** Which operand is read transposed: `left`: aᵀ·b; `right`: a·bᵀ. */
  readonly transposed: "none" | "left" | "right";
}

/**
 * `none`: a [n, k] · b [k, m]; `left`: a [k, n]ᵀ · b [k, m]; `right`: a [n, k] · b [m, k]ᵀ. n or k may be live; m is fixed.
 * @returns [n, m]
 */
export function matmul(a: Tensor, b: Tensor, transposed: MatmulAttributes["transposed"] = "none"): Tensor {
  if (a.shape.length !== 2 || b.shape.length !== 2) {
    throw new ShapeError("matmul", "two matrices", `${showShape(a.shape)} and ${showShape(b.shape)}`);
  }
  const [n, k] = transposed === "left" ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const [m, summed] = transposed === "right" ? [b.shape[0]!, b.shape[1]!] : [b.shape[1]!, b.shape[0]!];
  if (!sameExtent(k, summed)) {
    throw new ShapeError(`matmul of ${showShape(a.shape)}, ${transposed} transposed`, expected(k), showShape(b.shape));
  }
  if (typeof m !== "number") throw new ShapeError("matmul", "a fixed number of columns", showShape(b.shape));
  return a.graph.apply("matmul", [a, b], { transposed }, [n, m], "f32");
}

function expected(k: Extent): string {
  return `a matrix that meets it in ${typeof k === "number" ? k : k.name}`;
}

export const matmulOperation = defineOperation<MatmulAttributes>({
  name: "matmul",
  reference({ inputs: [a, b], attributes: { transposed }, output, products }) {
    const [n = 0, m = 0] = output.shape;
    const k = a!.shape[transposed === "left" ? 0 : 1]!;
    const [left, right, into] = [factors(a!, products), factors(b!, products), floats(output)];
    const [rowStep, sumStep] = transposed === "left" ? [1, n] : [k, 1];
    const [columnStep, otherStep] = transposed === "right" ? [k, 1] : [1, m];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < m; j++) {
        let sum = 0;
        for (let s = 0; s < k; s++) sum += left[i * rowStep + s * sumStep]! * right[j * columnStep + s * otherStep]!;
        into[i * m + j] = sum;
      }
    }
  },
  gradient: ({ inputs: [a, b], attributes: { transposed }, dy }) => {
    if (transposed === "left") return [matmul(b!, dy, "right"), matmul(a!, dy)];
    if (transposed === "right") return [matmul(dy, b!), matmul(dy, a!, "left")];
    return [matmul(dy, b!, "right"), matmul(a!, dy, "left")];
  },
});
