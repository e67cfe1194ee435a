/**
 * Scaled dot-product attention among the rows of a run: training reads whole sequences at once and needs no cache.
 * Vaswani et al., 2017 (arXiv:1706.03762); without the matrix of scores, Dao et al., 2022 (arXiv:2205.14135).
 *
 * Sequences lie one after another in the rows, unpadded. Row i sees the rows first[i] ≤ j < end[i] of keys and values:
 * causal, bidirectional and cross-attention, packed documents and batches are one operation. Scores go: scale, soft
 * cap, relative bias, softmax over the visible rows of the window.
 */
import { assert, ShapeError } from "../../core/errors.js";
import { defineOperation, floats, type HostTensor, rowsOf } from "../operation.js";
import { rowWidth, sameExtent, showShape, type Tensor } from "../tensor.js";
import type { RelativeBias } from "./attention.js";
import { sequenceAttentionGradient } from "./gradients/sequence-attention-gradient.js";
import { rowScores, type SequenceAttentionAttributes } from "./sequence-scores.js";

export type { SequenceAttentionAttributes } from "./sequence-scores.js";

export interface SequenceAttentionInputs {
  /** [n, headCount · headDim] */
  readonly query: Tensor;
  /** [m, keyValueHeadCount · headDim] */
  readonly key: Tensor;
  readonly value: Tensor;
  /** i32 [n]: the first row of keys that each row sees, and the one after the last; equal: a row of zeros. */
  readonly first: Tensor;
  readonly end: Tensor;
  /**
   * What is added to a score by the distance (j − first[i]) − positions[i] of row j; positions are counted from the
   * row `first`.
   */
  readonly relative?: RelativeBias;
}

/** @returns [n, headCount · headDim] */
export function sequenceAttention(inputs: SequenceAttentionInputs, attributes: SequenceAttentionAttributes): Tensor {
  const operands = sequenceOperands(inputs, attributes);
  return inputs.query.graph.apply("sequence-attention", operands, attributes, inputs.query.shape, "f32");
}

/** Operands in the fixed order: query, key, value, first, end[, positions, buckets, bias], their shapes checked. */
export function sequenceOperands(inputs: SequenceAttentionInputs, attributes: SequenceAttentionAttributes): Tensor[] {
  const { headCount, keyValueHeadCount, headDim } = attributes;
  const { query, key, value, first, end, relative } = inputs;
  assert(headCount % keyValueHeadCount === 0, "heads must divide evenly among key-value heads");
  requireWidth("query", query, headCount * headDim);
  requireWidth("key", key, keyValueHeadCount * headDim);
  requireWidth("value", value, keyValueHeadCount * headDim);
  if (!sameExtent(key.shape[0]!, value.shape[0]!)) {
    throw new ShapeError("sequence-attention value", showShape(key.shape), showShape(value.shape));
  }
  for (const rows of [first, end, ...(relative === undefined ? [] : [relative.positions])]) {
    if (rows.type === "i32" && rows.shape.length === 1 && sameExtent(rows.shape[0]!, query.shape[0]!)) continue;
    throw new ShapeError(
      `sequence-attention ${rows.name}`,
      `i32 ${showShape([query.shape[0]!])}`,
      showShape(rows.shape),
    );
  }
  const operands = [query, key, value, first, end];
  return relative === undefined ? operands : [...operands, relative.positions, relative.buckets, relative.bias];
}

function requireWidth(name: string, tensor: Tensor, width: number): void {
  if (tensor.shape.length === 2 && rowWidth(tensor) === width) return;
  throw new ShapeError(`sequence-attention ${name}`, `[n, ${width}]`, showShape(tensor.shape));
}

export const sequenceAttentionOperation = defineOperation<SequenceAttentionAttributes>({
  name: "sequence-attention",
  reference({ inputs, attributes, output }) {
    for (let row = 0; row < rowsOf(output).rows; row++) {
      for (let head = 0; head < attributes.headCount; head++) attendRow(inputs, attributes, row, head, output);
    }
  },
  gradient: ({ inputs, attributes, dy }) => {
    const [dquery, dkey, dvalue, dbias] = sequenceAttentionGradient(inputs, dy, attributes);
    return [dquery, dkey, dvalue, undefined, undefined, undefined, undefined, dbias];
  },
});

function attendRow(
  inputs: readonly HostTensor[],
  attributes: SequenceAttentionAttributes,
  row: number,
  head: number,
  output: HostTensor,
): void {
  const { probabilities, queryAt, keyAt } = rowScores(inputs, attributes, row, head);
  const sums = new Float64Array(attributes.headDim);
  for (const [index, probability] of probabilities.entries()) {
    for (let i = 0; i < sums.length; i++) sums[i]! += probability * floats(inputs[2]!)[keyAt(index) + i]!;
  }
  floats(output).set(sums, queryAt);
}
