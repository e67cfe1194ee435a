/**
 * ln Σ exp(x) of each row: what turns logits into log-probabilities, x_i − logSumExp(x), without a pass over the
 * vocabulary in JavaScript for every token.
 */
import { defineOperation, floats, rowsOf } from "../operation.js";
import { rowWidth, type Tensor } from "../tensor.js";
import { logSumExpGradient } from "./gradients/log-sum-exp-gradient.js";
import { logSumExpOf } from "./softmax.js";

/**
 * @param x - [n, width]
 * @returns [n, 1]
 */
export function logSumExp(x: Tensor): Tensor {
  return x.graph.apply("log-sum-exp", [x], { width: rowWidth(x) }, [x.shape[0]!, 1], "f32");
}

export const logSumExpOperation = defineOperation<{ readonly width: number }>({
  name: "log-sum-exp",
  reference({ inputs: [x], attributes: { width }, output }) {
    for (let row = 0; row < rowsOf(output).rows; row++) {
      const values = floats(x!).subarray(row * width, (row + 1) * width);
      floats(output)[row] = logSumExpOf(values);
    }
  },
  gradient: ({ inputs: [x], dy }) => [logSumExpGradient(x!, dy)],
});
