/** Frequency and presence penalty, as OpenAI's interface defines them: only what was generated counts. */
import { OutOfRangeError } from "../../core/errors.js";
import type { Processor } from "../sampling/candidates.js";

/**
 * z −= count · frequency + [count > 0] · presence.
 * @param lastN - count in this many of the last tokens only; default: all that were generated
 * @throws OutOfRangeError for what is no finite number
 */
export function frequencyPenaltyProcessor(frequency: number, presence: number, lastN?: number): Processor {
  for (const [name, value] of Object.entries({ frequencyPenalty: frequency, presencePenalty: presence })) {
    if (!Number.isFinite(value)) throw new OutOfRangeError(name, "a finite number", value);
  }
  return (candidates, { ids, promptLength }) => {
    const counts = new Map<number, number>();
    const from = Math.max(promptLength, lastN === undefined ? 0 : ids.length - lastN);
    for (let i = from; i < ids.length; i++) counts.set(ids[i]!, (counts.get(ids[i]!) ?? 0) + 1);
    for (const [id, count] of counts) candidates.change(id, (z) => z - count * frequency - presence);
  };
}
