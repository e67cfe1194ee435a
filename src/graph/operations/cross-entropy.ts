/**
 * The loss of each row of logits z against a target t:
 * (1 − ε)(lse − z_t) + ε(lse − mean z) + zLoss · lse², where lse = ln Σ exp z.
 *
 * ε is label smoothing (Szegedy et al., 2016, arXiv:1512.00567, as PyTorch has it); zLoss keeps lse near zero
 * (Chowdhery et al., 2022, arXiv:2204.02311, §5).
 */
import { OutOfRangeError, ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../operation.js";
import { sameExtent, showShape, type Tensor } from "../tensor.js";
import { crossEntropyGradient } from "./gradients/cross-entropy-gradient.js";
import { logSumExpOf } from "./softmax.js";

export interface CrossEntropyAttributes {
  /** ε, in [0, 1). */
  readonly labelSmoothing: number;
  readonly zLoss: number;
}

/**
 * @param logits - [n, vocabSize]
 * @param targets - i32 [n], each in [0, vocabSize), or −1 for a row whose loss is 0
 * @returns [n, 1], natural logarithms
 */
export function crossEntropy(logits: Tensor, targets: Tensor, attributes?: Partial<CrossEntropyAttributes>): Tensor {
  const { labelSmoothing = 0, zLoss = 0 } = attributes ?? {};
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new OutOfRangeError("labelSmoothing", "in [0, 1)", labelSmoothing);
  if (!(zLoss >= 0)) throw new OutOfRangeError("zLoss", "at least 0", zLoss);
  if (logits.shape.length !== 2)
    throw new ShapeError("cross-entropy logits", "[n, vocabSize]", showShape(logits.shape));
  if (targets.shape.length !== 1 || !sameExtent(targets.shape[0]!, logits.shape[0]!)) {
    throw new ShapeError("cross-entropy targets", showShape([logits.shape[0]!]), showShape(targets.shape));
  }
  const inputs = [logits, targets];
  return logits.graph.apply("cross-entropy", inputs, { labelSmoothing, zLoss }, [logits.shape[0]!, 1], "f32");
}

export const crossEntropyOperation = defineOperation<CrossEntropyAttributes>({
  name: "cross-entropy",
  reference({ inputs: [logits, targets], attributes: { labelSmoothing, zLoss }, output }) {
    const { rows, width } = rowsOf(logits!);
    const smoothing = Math.fround(labelSmoothing);
    for (let row = 0; row < rows; row++) {
      const target = integers(targets!)[row]!;
      const values = floats(logits!).subarray(row * width, (row + 1) * width);
      let mean = 0;
      for (const value of values) mean += value / width;
      const lse = logSumExpOf(values);
      const loss = lse - (1 - smoothing) * values[target]! - smoothing * mean + Math.fround(zLoss) * lse ** 2;
      floats(output)[row] = target < 0 ? 0 : loss;
    }
  },
  gradient: ({ inputs: [logits, targets], attributes, dy }) => [
    crossEntropyGradient(logits!, targets!, dy, attributes),
  ],
});
