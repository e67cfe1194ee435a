/** Epsilon and eta sampling: a floor under probabilities. Hewitt et al., 2022 (arXiv:2210.15191). */
import { OutOfRangeError } from "../../core/errors.js";
import type { Candidates, Filter } from "./candidates.js";
import { entropyOf } from "./entropy.js";

/** Keeps p ≥ ε, and always the likeliest. @throws OutOfRangeError unless ε is in (0, 1) */
export function epsilonCutoffFilter(epsilon: number): Filter {
  checkShare("epsilonCutoff", epsilon);
  return (candidates) => keepLikely(candidates, epsilon);
}

/** Keeps p ≥ min(ε, √ε · e^−H), and always the likeliest. @throws OutOfRangeError unless ε is in (0, 1) */
export function etaCutoffFilter(epsilon: number): Filter {
  checkShare("etaCutoff", epsilon);
  return (candidates) =>
    keepLikely(candidates, Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropyOf(candidates))));
}

function keepLikely(candidates: Candidates, floor: number): void {
  const probabilities = candidates.probabilities();
  const largest = candidates.largest();
  const { scores } = candidates;
  candidates.keepWhere((index) => probabilities[index]! >= floor || scores[index] === largest);
}

function checkShare(name: string, value: number): void {
  if (!(value > 0 && value < 1)) throw new OutOfRangeError(name, "above 0, below 1", value);
}
