/** XTC, "exclude top choices": now and then removes the most likely tokens, all but the least likely of them. */
import { OutOfRangeError } from "../../core/errors.js";
import type { Processor } from "./candidates.js";

/** The stream of random numbers that says whether a step excludes anything. */
const stream = 2;

/**
 * With this probability, of the candidates with p ≥ threshold removes all but the least likely; does nothing where
 * fewer than two have that. Of equally likely ones that with the lowest id is kept. Above 0.5 no two can have it.
 * @throws OutOfRangeError unless both are in [0, 1]
 */
export function xtcProcessor(probability: number, threshold: number): Processor {
  for (const [name, value] of Object.entries({ "xtc.probability": probability, "xtc.threshold": threshold })) {
    if (!(value >= 0 && value <= 1)) throw new OutOfRangeError(name, "from 0 to 1", value);
  }
  return (candidates, { uniform }) => {
    if (threshold > 0.5 || uniform(stream) >= probability) return;
    const probabilities = candidates.probabilities();
    let [least, likely] = [-1, 0];
    for (let i = 0; i < candidates.count; i++) {
      if (probabilities[i]! < threshold) continue;
      likely++;
      if (least < 0 || probabilities[i]! < probabilities[least]!) least = i;
    }
    if (likely < 2) return;
    candidates.keepWhere((index) => probabilities[index]! < threshold || index === least);
  };
}
