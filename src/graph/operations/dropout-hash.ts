/**
 * Which elements dropout keeps: 24 bits of each element, hashed from the seed of the step, the stream (which dropout of
 * the model it is) and the element's index. Random numbers by counter (Salmon et al., 2011): no state, so any thread may
 * compute any element, and the backward pass computes them again.
 *
 * The seed and the stream make two keys; the index goes through three rounds of shifting and multiplying in 32 bits
 * (constants found by search for least bias, Wellons' hash-prospector), one key before them and one within, so that two
 * streams are not one stream at two places. `kernels/dropout.c` computes the same bits.
 */

/** What is hashed with every index of one dropout in one step. */
export interface DropoutKeys {
  readonly first: number;
  readonly second: number;
}

/** @param seed - two integers, one pair for each step; stream - which dropout of the graph, from 0 */
export function dropoutKeys(seed: ArrayLike<number>, stream: number): DropoutKeys {
  const [low, high] = [seed[0]!, seed[1]!];
  const first = mix(mix(mix(stream ^ 0x9e3779b9) ^ low) ^ high);
  const second = mix(mix(mix(high ^ 0x85ebca6b) ^ stream) ^ low);
  return { first, second };
}

/** 24 random bits, as an integer. @param index - of the element in its tensor; counted modulo 2^32 */
export function dropoutBits({ first, second }: DropoutKeys, index: number): number {
  return hash((index + first) | 0, second) >>> 8;
}

/** An element is dropped when its bits are less than this. @param rate - in [0, 1) */
export function dropoutThreshold(rate: number): number {
  return Math.round(rate * 2 ** 24);
}

/** What kept elements are multiplied by, as a float32. */
export function dropoutScale(rate: number): number {
  return Math.fround(1 / (1 - rate));
}

function mix(x: number): number {
  return hash(x, 0);
}

function hash(index: number, key: number): number {
  let x = index ^ (index >>> 17);
  x = Math.imul(x, 0xed5ad4bb) ^ key;
  x ^= x >>> 11;
  x = Math.imul(x, 0xac4c1b51);
  x ^= x >>> 15;
  x = Math.imul(x, 0x31848bab);
  return x ^ (x >>> 14);
}
