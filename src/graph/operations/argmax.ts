/** Where the largest number of each row stands: the greedy choice, without a pass over the vocabulary in JavaScript. */
import { defineOperation, floats, rowsOf } from "../operation.js";
import { rowWidth, type Tensor } from "../tensor.js";

/**
 * The index of each row's largest number; of equal ones the lowest. A row that begins with not-a-number gives 0; others
 * pass over it.
 * @param x - [n, width], width at most 2^24
 * @returns [n, 1], as float32, which holds such indices exactly
 */
export function argmax(x: Tensor): Tensor {
  return x.graph.apply("argmax", [x], { width: rowWidth(x) }, [x.shape[0]!, 1], "f32");
}

export const argmaxOperation = defineOperation<{ readonly width: number }>({
  name: "argmax",
  reference({ inputs: [x], attributes: { width }, output }) {
    for (let row = 0; row < rowsOf(output).rows; row++) {
      const values = floats(x!).subarray(row * width, (row + 1) * width);
      let best = 0;
      for (let i = 1; i < width; i++) if (values[i]! > values[best]!) best = i;
      floats(output)[row] = best;
    }
  },
});
