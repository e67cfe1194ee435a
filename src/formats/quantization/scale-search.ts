/**
 * The search for scales of the K types: which few numbers stand best for a group of values.
 *
 * Rounding to levels and choosing the scale depend on each other. So several scales near the obvious one are tried: each
 * settles the levels, the levels settle the best scale by least squares, and the one with the least error is kept.
 * Errors of larger values weigh more, since they meet activations with more effect on the sum.
 */

/** Weights of the errors of `count` values from `start` on: each value's magnitude plus the root mean square of all. */
export function errorWeights(values: Float32Array, start: number, count: number, into: Float64Array): void {
  let squares = 0;
  for (let i = 0; i < count; i++) squares += values[start + i] ** 2;
  const spread = Math.sqrt(squares / count);
  for (let i = 0; i < count; i++) into[i] = spread + Math.abs(values[start + i]);
}

/** Added to a number well below 2^51 and taken away again, it leaves the nearest integer: faster than Math.round. */
const magic = 1.5 * 2 ** 52;

/** The integer nearest to `value` from `least` to `most`. */
export function nearest(value: number, least: number, most: number): number {
  if (value <= least) return least;
  if (value >= most) return most;
  return value + magic - magic;
}

/** Where a group lies: values[start + i] with weights[first + i], for i below count. */
export interface Group {
  readonly values: Float32Array;
  readonly start: number;
  readonly weights: Float64Array;
  readonly first: number;
  readonly count: number;
}

/**
 * The scale, of either sign, for which values ≈ scale · q is best, q an integer from −levels to levels − 1.
 * The value farthest from zero is given to the side that has one level more.
 */
export function fitScale({ values, start, weights, first, count }: Group, levels: number): number {
  let extreme = 0;
  for (let i = start; i < start + count; i++) if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
  if (extreme === 0) return 0;
  let [best, mostExplained] = [0, -1];
  for (let tenths = -9; tenths <= 9; tenths += 2) {
    const inverse = -(levels + tenths / 10) / extreme;
    let [sumXQ, sumQQ] = [0, 0];
    for (let i = 0; i < count; i++) {
      const x = values[start + i];
      const q = nearest(x * inverse, -levels, levels - 1);
      const weighted = weights[first + i] * q;
      sumXQ += weighted * x;
      sumQQ += weighted * q;
    }
    const explained = (sumXQ * sumXQ) / sumQQ;
    if (explained > mostExplained) [best, mostExplained] = [sumXQ / sumQQ, explained];
  }
  return best;
}

/** values ≈ scale · q − min. Neither is negative. */
export interface RangeFit {
  readonly scale: number;
  readonly min: number;
}

/** The scale and minimum for which values ≈ scale · q − min is best, q an integer from 0 to `most`. */
export function fitRange(group: Group, most: number): RangeFit {
  const { values, start, count } = group;
  let [least, greatest] = [0, values[start]];
  for (let i = start; i < start + count; i++) {
    least = Math.min(least, values[i]);
    greatest = Math.max(greatest, values[i]);
  }
  if (greatest <= least) return { scale: 0, min: -least };
  let best = fitAtLevels(group, most, most / (greatest - least), -least);
  for (let tenths = -9; tenths <= 9; tenths += 3) {
    if (tenths === 0) continue;
    const tried = fitAtLevels(group, most, (most + tenths / 10) / (greatest - least), -least);
    if (tried.error < best.error) best = tried;
  }
  // Once more from where that led.
  if (best.scale > 0) {
    const again = fitAtLevels(group, most, 1 / best.scale, best.min);
    if (again.error < best.error) best = again;
  }
  return best;
}

/** The least squares fit with the levels that round((value + min) · inverse) gives, and its weighted squared error. */
function fitAtLevels(
  { values, start, weights, first, count }: Group,
  most: number,
  inverse: number,
  min: number,
): RangeFit & { readonly error: number } {
  let [sum, sumX, sumQ, sumXX, sumXQ, sumQQ] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const x = values[start + i];
    const q = nearest((x + min) * inverse, 0, most);
    const weight = weights[first + i];
    sum += weight;
    sumX += weight * x;
    sumQ += weight * q;
    sumXX += weight * x * x;
    sumXQ += weight * x * q;
    sumQQ += weight * q * q;
  }
  const determinant = sum * sumQQ - sumQ * sumQ;
  let [scale, below] = [0, 0];
  if (determinant > 0) {
    scale = (sum * sumXQ - sumX * sumQ) / determinant;
    below = (sumQ * sumXQ - sumQQ * sumX) / determinant;
  }
  if (below < 0 || determinant <= 0) [scale, below] = [sumQQ > 0 ? sumXQ / sumQQ : 0, 0];
  if (scale < 0) [scale, below] = [0, Math.max(0, -sumX / sum)];
  const error =
    sumXX -
    2 * scale * sumXQ +
    2 * below * sumX +
    scale * scale * sumQQ -
    2 * scale * below * sumQ +
    below * below * sum;
  return { scale, min: below, error };
}
