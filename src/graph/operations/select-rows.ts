/** Picks rows: which positions of this run go on to the output head. */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../operation.js";
import { showShape, type Tensor } from "../tensor.js";
import { scatterRows } from "./gradients/scatter-rows.js";

/**
 * @param x - [n, width]
 * @param rows - i32 [m], each in [0, n)
 * @returns [m, width]
 */
export function selectRows(x: Tensor, rows: Tensor): Tensor {
  if (rows.shape.length !== 1) throw new ShapeError("select-rows rows", "[m]", showShape(rows.shape));
  return x.graph.apply("select-rows", [x, rows], {}, [rows.shape[0]!, ...x.shape.slice(1)], "f32");
}

export const selectRowsOperation = defineOperation<object>({
  name: "select-rows",
  reference({ inputs: [x, indices], output }) {
    const { rows, width } = rowsOf(output);
    for (let row = 0; row < rows; row++) {
      const from = integers(indices!)[row]! * width;
      floats(output).set(floats(x!).subarray(from, from + width), row * width);
    }
  },
  gradient: ({ inputs: [x, rows], dy }) => [scatterRows(dy, rows!, x!.shape[0]!)],
});
