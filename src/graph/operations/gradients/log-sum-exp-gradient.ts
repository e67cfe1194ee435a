/** The gradient of `log-sum-exp`: dx = softmax(x) · dy. */
import { ShapeError } from "../../../core/errors.js";
import { defineOperation, floats, rowsOf } from "../../operation.js";
import { rowWidth, sameExtent, showShape, type Tensor } from "../../tensor.js";
import { logSumExpOf } from "../softmax.js";

/**
 * @param x - [n, width]
 * @param dy - [n, 1], gradient of the result
 * @returns dx [n, width]
 */
export function logSumExpGradient(x: Tensor, dy: Tensor): Tensor {
  if (rowWidth(dy) !== 1 || !sameExtent(dy.shape[0]!, x.shape[0]!)) {
    throw new ShapeError("log-sum-exp-gradient", showShape([x.shape[0]!, 1]), showShape(dy.shape));
  }
  return x.graph.apply("log-sum-exp-gradient", [x, dy], {}, x.shape, "f32");
}

export const logSumExpGradientOperation = defineOperation<object>({
  name: "log-sum-exp-gradient",
  inPlace: [0],
  reference({ inputs: [x, dy], output }) {
    const { rows, width } = rowsOf(output);
    for (let row = 0; row < rows; row++) {
      const values = floats(x!).subarray(row * width, (row + 1) * width);
      const lse = logSumExpOf(values);
      const slope = floats(dy!)[row]!;
      for (let i = 0; i < width; i++) output.data[row * width + i] = Math.exp(values[i]! - lse) * slope;
    }
  },
});
