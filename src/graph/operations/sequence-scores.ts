/** Which rows a row of `sequence-attention` attends to, and how much: what its definition and its gradient share. */
import { type Floats, floats, type HostTensor, integers } from "../operation.js";
import { softmax } from "./softmax.js";

export interface SequenceAttentionAttributes {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly scale: number;
  /** Scores become softCap · tanh(score / softCap); 0: off. */
  readonly softCap: number;
  /** Only the last `window` rows before `end` count; 0: all. */
  readonly window: number;
}

/** One row of queries and one head: probabilities of the rows from `start` on, and how their scores came about. */
export interface RowScores {
  readonly start: number;
  readonly probabilities: Float64Array;
  /** d score / d (query · key), for each row: the scale, and the slope of the soft cap. */
  readonly slopes: Float64Array;
  /** Index in the bias table for each row; −1 without a bias. */
  readonly biases: Int32Array;
  /** Where the head's part of the query row begins, and that of each key and value row, after `start`. */
  readonly queryAt: number;
  keyAt(index: number): number;
}

/** @param inputs - query, key, value, first, end[, positions, buckets, bias] */
export function rowScores(
  inputs: readonly HostTensor[],
  a: SequenceAttentionAttributes,
  row: number,
  head: number,
): RowScores {
  const [query, key] = [floats(inputs[0]!), floats(inputs[1]!)];
  const [first, end] = [integers(inputs[3]!)[row]!, integers(inputs[4]!)[row]!];
  const start = a.window > 0 ? Math.max(first, end - a.window) : first;
  const count = Math.max(0, end - start);
  const [scores, slopes] = [new Float64Array(count), new Float64Array(count)];
  const biases = new Int32Array(count);
  const queryAt = (row * a.headCount + head) * a.headDim;
  const keyValueHead = Math.floor(head / (a.headCount / a.keyValueHeadCount));
  const keyAt = (index: number) => ((start + index) * a.keyValueHeadCount + keyValueHead) * a.headDim;
  for (let index = 0; index < count; index++) {
    let score = dot(query, queryAt, key, keyAt(index), a.headDim) * Math.fround(a.scale);
    slopes[index] = Math.fround(a.scale);
    if (a.softCap > 0) {
      const capped = Math.tanh(score / a.softCap);
      score = a.softCap * capped;
      slopes[index]! *= 1 - capped ** 2;
    }
    biases[index] = biasIndex(inputs, a, row, head, start + index - first);
    scores[index] = score + (biases[index]! < 0 ? 0 : floats(inputs[7]!)[biases[index]!]!);
  }
  return { start, probabilities: softmax(scores), slopes, biases, queryAt, keyAt };
}

/** Σ a_i b_i of two stretches. */
export function dot(a: Floats, from: number, b: Floats, start: number, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += a[from + i]! * b[start + i]!;
  return sum;
}

function biasIndex(
  inputs: readonly HostTensor[],
  a: SequenceAttentionAttributes,
  row: number,
  head: number,
  at: number,
) {
  if (inputs.length <= 7) return -1;
  const reach = (inputs[6]!.data.length - 1) / 2;
  const distance = Math.max(-reach, Math.min(reach, at - integers(inputs[5]!)[row]!));
  return integers(inputs[6]!)[distance + reach]! * a.headCount + head;
}
