/** Sum of two tensors of one shape: the residual connection. */
import { ShapeError } from "../../core/errors.js";
import { defineOperation } from "../operation.js";
import { rowWidth, sameExtent, showShape, type Tensor } from "../tensor.js";

/** Throws unless `b` has the shape of `a`. */
export function requireSameShape(operation: string, a: Tensor, b: Tensor): void {
  if (!sameExtent(a.shape[0]!, b.shape[0]!) || rowWidth(a) !== rowWidth(b)) {
    throw new ShapeError(operation, showShape(a.shape), showShape(b.shape));
  }
}

/** @returns a + b, in the shape of both. */
export function add(a: Tensor, b: Tensor): Tensor {
  requireSameShape("add", a, b);
  return a.graph.apply("add", [a, b], {}, a.shape, "f32");
}

export const addOperation = defineOperation<object>({
  name: "add",
  inPlace: [0, 1],
  reference({ inputs: [a, b], output }) {
    for (let i = 0; i < output.data.length; i++) output.data[i] = a!.data[i]! + b!.data[i]!;
  },
  gradient: ({ dy }) => [dy, dy],
});
