/**
 * The gradient of `cross-entropy`: dz_j = dloss · (softmax(z)_j · (1 + 2 · zLoss · lse) − (1 − ε)[j = t] − ε / vocabSize),
 * 0 in a row without a target. It takes the place of the logits, so that no second matrix of their size is held.
 */
import { ShapeError } from "../../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../../operation.js";
import { rowWidth, sameExtent, showShape, type Tensor } from "../../tensor.js";
import type { CrossEntropyAttributes } from "../cross-entropy.js";
import { logSumExpOf } from "../softmax.js";

/**
 * @param logits - [n, vocabSize]
 * @param targets - i32 [n], −1: none
 * @param dloss - [n, 1], gradient of each row's loss
 * @returns dlogits [n, vocabSize]
 */
export function crossEntropyGradient(
  logits: Tensor,
  targets: Tensor,
  dloss: Tensor,
  attributes: CrossEntropyAttributes,
): Tensor {
  if (rowWidth(dloss) !== 1 || !sameExtent(dloss.shape[0]!, logits.shape[0]!)) {
    throw new ShapeError("cross-entropy-gradient dloss", showShape([logits.shape[0]!, 1]), showShape(dloss.shape));
  }
  const inputs = [logits, targets, dloss];
  return logits.graph.apply("cross-entropy-gradient", inputs, attributes, logits.shape, "f32");
}

export const crossEntropyGradientOperation = defineOperation<CrossEntropyAttributes>({
  name: "cross-entropy-gradient",
  inPlace: [0],
  reference({ inputs: [logits, targets, dloss], attributes: { labelSmoothing, zLoss }, output }) {
    const { rows, width } = rowsOf(output);
    const smoothing = Math.fround(labelSmoothing);
    for (let row = 0; row < rows; row++) {
      const target = integers(targets!)[row]!;
      const values = floats(logits!).subarray(row * width, (row + 1) * width);
      const lse = logSumExpOf(values);
      const slope = target < 0 ? 0 : floats(dloss!)[row]!;
      const along = slope * (1 + 2 * Math.fround(zLoss) * lse);
      for (let j = 0; j < width; j++) {
        const hit = j === target ? 1 - smoothing : 0;
        output.data[row * width + j] = Math.exp(values[j]! - lse) * along - slope * (hit + smoothing / width);
      }
    }
  },
});
