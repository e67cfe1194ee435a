/** The gradient of `embedding`: each row of dy is added to the row of the table that it came from, in order. */
import { ShapeError } from "../../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../../operation.js";
import { rowWidth, sameExtent, showShape, type Tensor } from "../../tensor.js";

export interface EmbeddingGradientAttributes {
  /** Rows of the table. */
  readonly rows: number;
  readonly scale: number;
}

/**
 * @param ids - i32 [n], each in [0, rows)
 * @param dy - [n, width], gradient of the result
 * @returns [rows, width], zero where no id points
 */
export function embeddingGradient(ids: Tensor, dy: Tensor, attributes: EmbeddingGradientAttributes): Tensor {
  if (ids.shape.length !== 1 || !sameExtent(ids.shape[0]!, dy.shape[0]!)) {
    throw new ShapeError("embedding-gradient ids", showShape([dy.shape[0]!]), showShape(ids.shape));
  }
  return dy.graph.apply("embedding-gradient", [ids, dy], attributes, [attributes.rows, rowWidth(dy)], "f32");
}

export const embeddingGradientOperation = defineOperation<EmbeddingGradientAttributes>({
  name: "embedding-gradient",
  reference({ inputs: [ids, dy], attributes: { scale }, output }) {
    const { rows, width } = rowsOf(dy!);
    const sums = new Float64Array(output.data.length);
    for (let row = 0; row < rows; row++) {
      const at = integers(ids!)[row]! * width;
      for (let i = 0; i < width; i++) sums[at + i]! += floats(dy!)[row * width + i]! * Math.fround(scale);
    }
    floats(output).set(sums);
  },
});
