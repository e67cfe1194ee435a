/**
 * Scheduled sampling: some of the tokens that a decoder reads are not the true ones but what the model itself would have
 * written, ever more as it learns. Bengio et al., 2015 (arXiv:1506.03099).
 *
 * For transformers in two passes (Mihaylova & Martins, 2019, arXiv:1906.07651): the first, over the true tokens, gives
 * the model's likeliest token at every place at once; the second learns from the mixture. No gradient flows through
 * the first.
 */
import { CounterRandom } from "../core/random.js";
import type { Batch } from "./data/batch.js";
import type { ResolvedSettings } from "./options.js";

export type ScheduledSampling = NonNullable<ResolvedSettings["regularisation"]["scheduledSampling"]>;

/** The share of true tokens at a step, from 1 on. */
export function trueShare(schedule: ScheduledSampling, step: number): number {
  switch (schedule.kind) {
    case "linear":
      return Math.max(schedule.floor, 1 - schedule.slope * step);
    case "exponential":
      return schedule.base ** step;
    case "inverse-sigmoid":
      return schedule.k / (schedule.k + Math.exp(step / schedule.k));
  }
}

/**
 * A batch that reads some of what the model predicted. Only tokens that the row before was to predict are replaced:
 * never the first of a sequence or a prompt's. Targets stay the true ones.
 *
 * @param likeliest - [rows]: the model's token after each row
 * @param isReplaced - whether a row reads what was predicted
 */
export function mixed(batch: Batch, likeliest: ArrayLike<number>, isReplaced: (row: number) => boolean): Batch {
  const ids = batch.ids.slice();
  for (let row = 1; row < ids.length; row++) {
    const isPredicted = batch.positions[row]! > 0 && batch.targets[row - 1] === batch.ids[row];
    if (isPredicted && isReplaced(row)) ids[row] = likeliest[row - 1]!;
  }
  return { ...batch, ids };
}

/** Which rows of a part of a step read predictions: as many as `share` leaves, drawn by seed, step and part. */
export function replacements(share: number, seed: number, step: number, part: number): (row: number) => boolean {
  const random = new CounterRandom(seed, 1 + part);
  return (row) => random.uniform(step * 2 ** 24 + row) >= share;
}
