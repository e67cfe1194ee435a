/** Σ x² of each row: what the norm of all gradients is the root of. */
import { defineOperation, floats } from "../operation.js";
import type { Tensor } from "../tensor.js";

/**
 * @param x - [n, width], or [width], which is one row
 * @returns [n, 1]
 */
export function rowSquares(x: Tensor): Tensor {
  const rows = x.shape.length === 1 ? 1 : x.shape[0]!;
  return x.graph.apply("row-squares", [x], {}, [rows, 1], "f32");
}

export const rowSquaresOperation = defineOperation<object>({
  name: "row-squares",
  reference({ inputs: [x], output }) {
    const rows = output.shape[0]!;
    const width = x!.data.length / Math.max(1, rows);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += floats(x!)[row * width + i]! ** 2;
      floats(output)[row] = sum;
    }
  },
});
