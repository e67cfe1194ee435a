/**
 * Locally typical sampling: keeps the candidates whose surprise is nearest to the entropy.
 * Meister et al., 2022 (arXiv:2202.00666).
 */
import { OutOfRangeError } from "../../core/errors.js";
import type { Filter } from "./candidates.js";
import { entropyOf } from "./entropy.js";

/**
 * Keeps the smallest set, in order of |−ln p − H|, whose probabilities reach τ; those tied with its last one too.
 * @throws OutOfRangeError unless τ is in (0, 1]
 */
export function typicalPFilter(mass: number): Filter {
  if (!(mass > 0 && mass <= 1)) throw new OutOfRangeError("typicalP", "above 0, at most 1", mass);
  return (candidates) => {
    if (mass === 1) return;
    const entropy = entropyOf(candidates);
    const probabilities = candidates.probabilities().subarray(0, candidates.count);
    const distances = probabilities.map((p) => Math.abs(-Math.log(p) - entropy));
    const order = Uint32Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
    let sum = 0;
    let last = 0;
    for (const index of order) {
      sum += probabilities[index]!;
      last = distances[index]!;
      if (sum >= mass) break;
    }
    candidates.keepWhere((index) => distances[index]! <= last);
  };
}
