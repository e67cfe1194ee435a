/**
 * Scaled dot-product attention of each token over the cached keys and values of its sequence.
 * Vaswani et al., 2017 (arXiv:1706.03762); grouped heads: Ainslie et al., 2023 (arXiv:2305.13245).
 *
 * Causal, bidirectional and cross-attention are one operation: `visible` says how many keys, from the first on, a
 * token may see. Scores go: scale, soft cap, relative bias, softmax over the visible keys of the window.
 */
import { assert, ShapeError } from "../../core/errors.js";
import { defineOperation, floats, type HostTensor, integers, rowsOf } from "../operation.js";
import { rowWidth, showShape, type Tensor } from "../tensor.js";
import { softmax } from "./softmax.js";

export interface AttentionAttributes {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly blockSize: number;
  readonly scale: number;
  /** Scores become softCap · tanh(score / softCap); 0: off. */
  readonly softCap: number;
  /** Only the last `window` visible keys count; 0: all. */
  readonly window: number;
}

export interface AttentionInputs {
  /** [n, headCount · headDim] */
  readonly query: Tensor;
  /** Cache states [blocks, keyValueHeadCount · headDim · blockSize], after this run's writes. */
  readonly keys: Tensor;
  readonly values: Tensor;
  /** i32 [sequences, blocks per sequence]: which block holds the positions from b · blockSize on. */
  readonly blockTables: Tensor;
  /** i32 [n]: row of `blockTables` for each token. */
  readonly sequences: Tensor;
  /** i32 [n]: how many keys each token sees; 0 gives a row of zeros. */
  readonly visible: Tensor;
  /** T5: what is added to a score by the distance key − query position. */
  readonly relative?: RelativeBias;
}

export interface RelativeBias {
  /** i32 [n]: position of the query. */
  readonly positions: Tensor;
  /** constant i32 [2·reach + 1]: bucket of each distance from −reach to reach; further ones take the ends. */
  readonly buckets: Tensor;
  /** plain parameter [bucketCount, headCount] */
  readonly bias: Tensor;
}

/** @returns [n, headCount · headDim] */
export function attention(inputs: AttentionInputs, attributes: AttentionAttributes): Tensor {
  const { headCount, keyValueHeadCount, headDim } = attributes;
  assert(headCount % keyValueHeadCount === 0, "heads must divide evenly among key-value heads");
  if (rowWidth(inputs.query) !== headCount * headDim) {
    throw new ShapeError("attention query", `[n, ${headCount * headDim}]`, showShape(inputs.query.shape));
  }
  return inputs.query.graph.apply("attention", attentionOperands(inputs), attributes, inputs.query.shape, "f32");
}

/** Operands in the fixed order: query, keys, values, blockTables, sequences, visible[, positions, buckets, bias]. */
export function attentionOperands(inputs: AttentionInputs): Tensor[] {
  const { query, keys, values, blockTables, sequences, visible, relative } = inputs;
  const operands = [query, keys, values, blockTables, sequences, visible];
  return relative === undefined ? operands : [...operands, relative.positions, relative.buckets, relative.bias];
}

export const attentionOperation = defineOperation<AttentionAttributes>({
  name: "attention",
  reference({ inputs, attributes, output }) {
    const { headCount, headDim, blockSize } = attributes;
    const { rows, width } = rowsOf(output);
    const values = floats(inputs[2]!);
    for (let row = 0; row < rows; row++) {
      for (let head = 0; head < headCount; head++) {
        const { start, scores } = attentionScores(inputs, attributes, row, head);
        const sums = new Float64Array(headDim);
        for (const [index, probability] of softmax(scores).entries()) {
          const offset = (start + index) % blockSize;
          const at = headBlock(inputs, attributes, row, head, start + index) + offset * headDim;
          for (let i = 0; i < headDim; i++) sums[i]! += probability * values[at + i]!;
        }
        floats(output).set(sums, row * width + head * headDim);
      }
    }
  },
});

/** Scores of one token and head over the keys from `start` on, before the softmax, in float64. */
export function attentionScores(inputs: readonly HostTensor[], a: AttentionAttributes, row: number, head: number) {
  const query = floats(inputs[0]!);
  const keys = floats(inputs[1]!);
  const visible = integers(inputs[5]!)[row]!;
  const start = a.window > 0 ? Math.max(0, visible - a.window) : 0;
  const scores = new Float64Array(visible - start);
  const first = (row * a.headCount + head) * a.headDim;
  for (let key = start; key < visible; key++) {
    const at = headBlock(inputs, a, row, head, key) + (key % a.blockSize);
    let sum = 0;
    for (let i = 0; i < a.headDim; i++) sum += query[first + i]! * keys[at + i * a.blockSize]!;
    let score = sum * Math.fround(a.scale);
    if (a.softCap > 0) score = a.softCap * Math.tanh(score / a.softCap);
    scores[key - start] = score + relativeBias(inputs, a, row, head, key);
  }
  return { start, scores };
}

/** Where the part of a cache block that belongs to a query head begins, for the block of position `key`. */
function headBlock(
  inputs: readonly HostTensor[],
  a: AttentionAttributes,
  row: number,
  head: number,
  key: number,
): number {
  const tables = inputs[3]!;
  const sequence = integers(inputs[4]!)[row]!;
  const block = integers(tables)[sequence * tables.shape[1]! + Math.floor(key / a.blockSize)]!;
  const keyValueHead = Math.floor(head / (a.headCount / a.keyValueHeadCount));
  return (block * a.keyValueHeadCount + keyValueHead) * a.headDim * a.blockSize;
}

function relativeBias(inputs: readonly HostTensor[], a: AttentionAttributes, row: number, head: number, key: number) {
  if (inputs.length <= 6) return 0;
  const reach = (inputs[7]!.data.length - 1) / 2;
  const distance = Math.max(-reach, Math.min(reach, key - integers(inputs[6]!)[row]!));
  return floats(inputs[8]!)[integers(inputs[7]!)[distance + reach]! * a.headCount + head]!;
}
