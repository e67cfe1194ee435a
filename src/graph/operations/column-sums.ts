/** The sum of all rows: the gradient of a bias. */
import { defineOperation, floats, rowsOf } from "../operation.js";
import { rowWidth, type Tensor } from "../tensor.js";

/**
 * @param x - [n, width]
 * @returns [width]
 */
export function columnSums(x: Tensor): Tensor {
  return x.graph.apply("column-sums", [x], {}, [rowWidth(x)], "f32");
}

export const columnSumsOperation = defineOperation<object>({
  name: "column-sums",
  reference({ inputs: [x], output }) {
    const { rows, width } = rowsOf(x!);
    for (let column = 0; column < width; column++) {
      let sum = 0;
      for (let row = 0; row < rows; row++) sum += floats(x!)[row * width + column]!;
      floats(output)[column] = sum;
    }
  },
});
