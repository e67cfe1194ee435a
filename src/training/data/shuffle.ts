/** Orders that depend on a seed and the number of the pass alone. */
import { CounterRandom } from "../../core/random.js";

/** Uses of one seed that must not depend on each other. */
export const streams = { order: 0x101, cuts: 0x102, windows: 0x103, batches: 0x104 };

/** The random number at `index` in pass `epoch`; both below 2^21 and 2^32. */
export function positionOf(epoch: number, index: number): number {
  return epoch * 2 ** 32 + index;
}

/** Shuffles in place (Fisher and Yates; Durstenfeld, 1964). */
export function shuffle(items: Int32Array, seed: number, stream: number, epoch: number): Int32Array {
  const random = new CounterRandom(seed, stream);
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random.uniform(positionOf(epoch, last)) * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}

/** 0, 1, … count − 1. */
export function upTo(count: number): Int32Array {
  const items = new Int32Array(count);
  for (let i = 0; i < count; i++) items[i] = i;
  return items;
}
