/** Softmax and its normaliser, in float64: what definitions share. */
import type { Floats } from "../operation.js";

/** Softmax in float64. */
export function softmax(scores: Float64Array): Float64Array {
  const largest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = scores.map((score) => Math.exp(score - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** ln Σ exp of a row, in float64. */
export function logSumExpOf(row: Floats): number {
  let [largest, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (const value of row) largest = Math.max(largest, value);
  for (const value of row) sum += Math.exp(value - largest);
  return largest + Math.log(sum);
}
