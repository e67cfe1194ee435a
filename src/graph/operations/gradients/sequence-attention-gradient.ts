/**
 * The gradient of `sequence-attention`. With probabilities P and scores S of a row: dP = dy·valueᵀ,
 * dS = P ∘ (dP − Σ P ∘ dP); a score's slope against query · key is its scale, and what the soft cap leaves of it.
 * Probabilities are computed again. Dao et al., 2022 (arXiv:2205.14135), §B.2.
 */
import { defineOperation, floats, type HostTensor, rowsOf } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireSameShape } from "../add.js";
import { dot, rowScores, type SequenceAttentionAttributes } from "../sequence-scores.js";

/**
 * @param operands - those of `sequence-attention`, in its order
 * @param dy - [n, headCount · headDim], gradient of the result
 * @returns dquery, dkey, dvalue in the shapes of theirs and, where there is one, dbias [bucketCount, headCount]
 */
export function sequenceAttentionGradient(
  operands: readonly Tensor[],
  dy: Tensor,
  attributes: SequenceAttentionAttributes,
): Tensor[] {
  const [query, key, value, , , , , bias] = operands;
  requireSameShape("sequence-attention-gradient", query!, dy);
  const of = [query!, key!, value!, ...(bias === undefined ? [] : [bias])];
  const outputs = of.map(({ shape }) => ({ shape, type: "f32" as const }));
  return [...dy.graph.applyMany("sequence-attention-gradient", [...operands, dy], attributes, outputs)];
}

export const sequenceAttentionGradientOperation = defineOperation<SequenceAttentionAttributes>({
  name: "sequence-attention-gradient",
  reference({ inputs, attributes, outputs }) {
    const operands = inputs.slice(0, -1);
    const sums = outputs.map(({ data }) => new Float64Array(data.length));
    for (let row = 0; row < rowsOf(inputs[0]!).rows; row++) {
      for (let head = 0; head < attributes.headCount; head++) {
        addRow(operands, inputs.at(-1)!, attributes, row, head, sums);
      }
    }
    for (const [index, output] of outputs.entries()) floats(output).set(sums[index]!);
  },
});

/** Adds what one row of one head gives to dquery, dkey, dvalue and dbias. */
function addRow(
  operands: readonly HostTensor[],
  dy: HostTensor,
  attributes: SequenceAttentionAttributes,
  row: number,
  head: number,
  [dquery, dkey, dvalue, dbias]: readonly Float64Array[],
): void {
  const { headDim } = attributes;
  const [query, key, value] = operands.map((operand) => floats(operand));
  const slope = floats(dy);
  const { probabilities, slopes, biases, queryAt, keyAt } = rowScores(operands, attributes, row, head);
  const dprobabilities = probabilities.map((_, index) => dot(slope, queryAt, value!, keyAt(index), headDim));
  const along = dot(probabilities, 0, dprobabilities, 0, probabilities.length);
  for (const [index, probability] of probabilities.entries()) {
    const dscore = probability * (dprobabilities[index]! - along);
    const at = keyAt(index);
    for (let i = 0; i < headDim; i++) {
      dquery![queryAt + i]! += dscore * slopes[index]! * key![at + i]!;
      dkey![at + i]! += dscore * slopes[index]! * query![queryAt + i]!;
      dvalue![at + i]! += probability * slope[queryAt + i]!;
    }
    if (dbias !== undefined) dbias[biases[index]!]! += dscore;
  }
}
