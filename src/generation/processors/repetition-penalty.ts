/** Repetition penalty: tokens that stand in the text already lose. Keskar et al., 2019 (arXiv:1909.05858), §4.1. */
import { OutOfRangeError } from "../../core/errors.js";
import type { Processor } from "../sampling/candidates.js";

/**
 * z / θ where z > 0, else z · θ, for every token of prompt and completion.
 * @param lastN - look at this many of the last tokens only; default: all
 * @throws OutOfRangeError unless θ is above 0
 */
export function repetitionPenaltyProcessor(penalty: number, lastN?: number): Processor {
  if (!(penalty > 0 && Number.isFinite(penalty))) throw new OutOfRangeError("repetitionPenalty", "above 0", penalty);
  return (candidates, { ids }) => {
    const seen = new Set(lastN === undefined ? ids : ids.slice(Math.max(0, ids.length - lastN)));
    for (const id of seen) candidates.change(id, (z) => (z > 0 ? z / penalty : z * penalty));
  };
}
