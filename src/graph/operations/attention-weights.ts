/**
 * The scores or probabilities inside attention, for looking at. Generation never computes this matrix: it is added to
 * a graph only where somebody asked for it.
 */
import { defineOperation, floats, rowsOf } from "../operation.js";
import type { Tensor } from "../tensor.js";
import { type AttentionAttributes, type AttentionInputs, attentionOperands, attentionScores } from "./attention.js";
import { softmax } from "./softmax.js";

export interface AttentionWeightsAttributes extends AttentionAttributes {
  readonly stage: "scores" | "probabilities";
  /** Keys per row of the result: the longest sequence that can be looked at. */
  readonly keyCapacity: number;
}

/**
 * @returns [n, headCount · keyCapacity]; a key that a token does not see has −Infinity (scores) or 0 (probabilities).
 */
export function attentionWeights(inputs: AttentionInputs, attributes: AttentionWeightsAttributes): Tensor {
  const shape = [inputs.query.shape[0]!, attributes.headCount * attributes.keyCapacity];
  return inputs.query.graph.apply("attention-weights", attentionOperands(inputs), attributes, shape, "f32");
}

export const attentionWeightsOperation = defineOperation<AttentionWeightsAttributes>({
  name: "attention-weights",
  reference({ inputs, attributes, output }) {
    const { headCount, keyCapacity, stage } = attributes;
    const { rows, width } = rowsOf(output);
    floats(output).fill(stage === "scores" ? Number.NEGATIVE_INFINITY : 0, 0, rows * width);
    for (let row = 0; row < rows; row++) {
      for (let head = 0; head < headCount; head++) {
        const { start, scores } = attentionScores(inputs, attributes, row, head);
        const values = stage === "scores" ? scores : softmax(scores);
        for (let i = 0; i < values.length; i++) {
          floats(output)[row * width + head * keyCapacity + start + i] = values[i]!;
        }
      }
    }
  },
});
