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
import { type CacheCodec, type CacheRole, cacheBytes, cacheCodecOf } from "./cache-codecs.js";
import { softmax } from "./softmax.js";

export interface AttentionAttributes {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly blockSize: number;
  /** How keys and values lie in the caches. */
  readonly keyCodec: CacheCodec;
  readonly valueCodec: CacheCodec;
  readonly scale: number;
  /** Scores become softCap · tanh(score / softCap); 0: off. */
  readonly softCap: number;
  /** Only the last `window` visible keys count; 0: all. */
  readonly window: number;
}

export interface AttentionInputs {
  /** [n, headCount · headDim] */
  readonly query: Tensor;
  /** Cache states [blocks, words of a block], after this run's writes. */
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
    const { headCount, headDim } = attributes;
    const { rows, width } = rowsOf(output);
    const value = new Float32Array(headDim);
    for (let row = 0; row < rows; row++) {
      for (let head = 0; head < headCount; head++) {
        const { start, scores } = attentionScores(inputs, attributes, row, head);
        const valueAt = cached(inputs, attributes, "value", row, head);
        const sums = new Float64Array(headDim);
        for (const [index, probability] of softmax(scores).entries()) {
          valueAt(start + index, value);
          for (let i = 0; i < headDim; i++) sums[i]! += probability * value[i]!;
        }
        floats(output).set(sums, row * width + head * headDim);
      }
    }
  },
});

/** Scores of one token and head over the keys from `start` on, before the softmax, in float64. */
export function attentionScores(inputs: readonly HostTensor[], a: AttentionAttributes, row: number, head: number) {
  const query = floats(inputs[0]!);
  const keyAt = cached(inputs, a, "key", row, head);
  const visible = integers(inputs[5]!)[row]!;
  const start = a.window > 0 ? Math.max(0, visible - a.window) : 0;
  const scores = new Float64Array(visible - start);
  const first = (row * a.headCount + head) * a.headDim;
  const vector = new Float32Array(a.headDim);
  for (let key = start; key < visible; key++) {
    keyAt(key, vector);
    let sum = 0;
    for (let i = 0; i < a.headDim; i++) sum += query[first + i]! * vector[i]!;
    let score = sum * Math.fround(a.scale);
    if (a.softCap > 0) score = a.softCap * Math.tanh(score / a.softCap);
    scores[key - start] = score + relativeBias(inputs, a, row, head, key);
  }
  return { start, scores };
}

/** Reads what a token's query head sees at a position: its key or value, decoded. */
function cached(
  inputs: readonly HostTensor[],
  a: AttentionAttributes,
  role: CacheRole,
  row: number,
  head: number,
): (position: number, into: Float32Array) => void {
  const { headDim, keyValueHeadCount, blockSize } = a;
  const { partBytes, read } = cacheCodecOf[role === "key" ? a.keyCodec : a.valueCodec];
  const memory = cacheBytes(floats(inputs[role === "key" ? 1 : 2]!) as Float32Array);
  const tables = inputs[3]!;
  const table = integers(inputs[4]!)[row]! * tables.shape[1]!;
  const keyValueHead = Math.floor(head / (a.headCount / keyValueHeadCount));
  return (position, into) => {
    const block = integers(tables)[table + Math.floor(position / blockSize)]!;
    const part = (block * keyValueHeadCount + keyValueHead) * partBytes(headDim);
    read(memory, { part, role, headDim, offset: position % blockSize }, into);
  };
}

function relativeBias(inputs: readonly HostTensor[], a: AttentionAttributes, row: number, head: number, key: number) {
  if (inputs.length <= 6) return 0;
  const reach = (inputs[7]!.data.length - 1) / 2;
  const distance = Math.max(-reach, Math.min(reach, key - integers(inputs[6]!)[row]!));
  return floats(inputs[8]!)[integers(inputs[7]!)[distance + reach]! * a.headCount + head]!;
}
