/** How long a completion should become: ends are banned at first, and favoured later. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { Processor } from "../sampling/candidates.js";

/** Ends are −∞ until the completion has `minNewTokens` tokens. @throws OutOfRangeError */
export function minNewTokensProcessor(minNewTokens: number, ends: Iterable<number>): Processor {
  checkCount("tokens.minNewTokens", minNewTokens);
  return (candidates, { ids, promptLength }) => {
    if (ids.length - promptLength < minNewTokens) for (const id of ends) candidates.ban(id);
  };
}

/** Ends are −∞ until prompt and completion have `minLength` tokens. @throws OutOfRangeError */
export function minLengthProcessor(minLength: number, ends: Iterable<number>): Processor {
  checkCount("tokens.minLength", minLength);
  return (candidates, { ids }) => {
    if (ids.length < minLength) for (const id of ends) candidates.ban(id);
  };
}

export interface LengthDecay {
  /** Tokens of the completion after which ends begin to gain. */
  readonly start: number;
  /** By how much, from one token to the next: above 1. */
  readonly factor: number;
}

/** z += |z| · (factor^(length − start) − 1) for ends, once the completion is longer than `start`. As Hugging Face's. */
export function lengthDecayProcessor(decay: LengthDecay, ends: Iterable<number>): Processor {
  rejectUnknownOptions(decay, ["start", "factor"], "tokens.lengthDecay");
  const { start, factor } = decay;
  checkCount("tokens.lengthDecay.start", start);
  if (!(factor > 0 && Number.isFinite(factor))) {
    throw new OutOfRangeError("tokens.lengthDecay.factor", "above 0", factor);
  }
  return (candidates, { ids, promptLength }) => {
    const beyond = ids.length - promptLength - start;
    if (beyond <= 0) return;
    const gain = factor ** beyond - 1;
    for (const id of ends) candidates.change(id, (z) => (Number.isFinite(z) ? z + Math.abs(z) * gain : z));
  };
}

function checkCount(name: string, value: number): void {
  if (typeof value !== "number") throw new InvalidValueError(name, "a whole number", value);
  if (!(Number.isSafeInteger(value) && value >= 0)) throw new OutOfRangeError(name, "a whole number from 0 on", value);
}
