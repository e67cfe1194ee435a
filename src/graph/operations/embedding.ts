/** Rows of a table by id, times a constant: the first step of a token through the model. */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../operation.js";
import { capacityOf, showShape, type Tensor } from "../tensor.js";
import { embeddingGradient } from "./gradients/embedding-gradient.js";

export interface EmbeddingAttributes {
  /** Factor on every element: sqrt(hiddenSize) in Gemma and the classic transformer, else 1. */
  readonly scale: number;
}

/**
 * @param table - parameter [rows, width]
 * @param ids - i32 [n], each in [0, rows)
 * @returns [n, width]
 */
export function embedding(table: Tensor, ids: Tensor, attributes: EmbeddingAttributes = { scale: 1 }): Tensor {
  if (table.shape.length !== 2) throw new ShapeError("embedding table", "[rows, width]", showShape(table.shape));
  if (ids.shape.length !== 1) throw new ShapeError("embedding ids", "[n]", showShape(ids.shape));
  return table.graph.apply("embedding", [table, ids], attributes, [ids.shape[0]!, table.shape[1]!], "f32");
}

export const embeddingOperation = defineOperation<EmbeddingAttributes>({
  name: "embedding",
  reference({ inputs: [table, ids], attributes: { scale }, output }) {
    const { rows, width } = rowsOf(output);
    for (let row = 0; row < rows; row++) {
      const id = integers(ids!)[row]!;
      for (let i = 0; i < width; i++) {
        floats(output)[row * width + i] = floats(table!)[id * width + i]! * Math.fround(scale);
      }
    }
  },
  gradient: ({ inputs: [table, ids], attributes: { scale }, dy }) => [
    embeddingGradient(ids!, dy, { rows: capacityOf(table!.shape[0]!), scale }),
  ],
});
