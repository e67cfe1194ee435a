/** Puts rows back where `select-rows` took them from: its gradient. A row that was taken twice gets the sum. */
import { ShapeError } from "../../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../../operation.js";
import { type Extent, rowWidth, sameExtent, showShape, type Tensor } from "../../tensor.js";

/**
 * @param dy - [m, width]
 * @param rows - i32 [m], each in [0, n)
 * @param extent - n, which may be live
 * @returns [n, width], zero in the rows that `rows` does not name
 */
export function scatterRows(dy: Tensor, rows: Tensor, extent: Extent): Tensor {
  if (rows.shape.length !== 1 || !sameExtent(rows.shape[0]!, dy.shape[0]!)) {
    throw new ShapeError("scatter-rows rows", showShape([dy.shape[0]!]), showShape(rows.shape));
  }
  return dy.graph.apply("scatter-rows", [dy, rows], {}, [extent, rowWidth(dy)], "f32");
}

export const scatterRowsOperation = defineOperation<object>({
  name: "scatter-rows",
  reference({ inputs: [dy, indices], output }) {
    const { rows, width } = rowsOf(dy!);
    floats(output).fill(0);
    for (let row = 0; row < rows; row++) {
      const at = integers(indices!)[row]! * width;
      for (let i = 0; i < width; i++) floats(output)[at + i]! += floats(dy!)[row * width + i]!;
    }
  },
});
