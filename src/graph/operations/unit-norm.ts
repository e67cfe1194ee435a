/** A whole matrix divided by its Euclidean norm, as iterations on its singular values begin. */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats } from "../operation.js";
import { showShape, type Tensor } from "../tensor.js";

/**
 * y = x / (‖x‖ + 1e-7), with the norm of all elements together.
 * @param x - [rows, columns], none of them live
 */
export function unitNorm(x: Tensor): Tensor {
  if (x.shape.some((extent) => typeof extent !== "number")) {
    throw new ShapeError("unit-norm", "fixed extents", showShape(x.shape));
  }
  return x.graph.apply("unit-norm", [x], {}, x.shape, "f32");
}

export const unitNormOperation = defineOperation<object>({
  name: "unit-norm",
  reference({ inputs: [x], output }) {
    let sum = 0;
    for (const value of floats(x!)) sum += value ** 2;
    const factor = 1 / (Math.sqrt(sum) + 1e-7);
    for (let i = 0; i < output.data.length; i++) output.data[i] = x!.data[i]! * factor;
  },
});
