/** What a hypothesis' log-probability is divided by, so that long and short ones can be compared. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";

/**
 * A number p: score = Σ ln p(token) / L^p, Hugging Face's and CTranslate2's. `{ gnmt: α }`: Σ ln p / ((5 + L) / 6)^α,
 * Wu et al., 2016 (arXiv:1609.08144), §7. L counts generated tokens, the end token included; the prompt does not count.
 * Above 0 longer hypotheses are favoured, 0 is the plain sum.
 */
export type LengthPenalty = number | { readonly gnmt: number };

/**
 * The divisor as a function of L.
 * @throws InvalidValueError, OutOfRangeError, UnknownOptionError
 */
export function lengthDivisor(penalty: LengthPenalty): (length: number) => number {
  if (typeof penalty === "number") {
    const power = finite("lengthPenalty", penalty);
    return (length) => length ** power;
  }
  rejectUnknownOptions(penalty, ["gnmt"], "lengthPenalty");
  const alpha = finite("lengthPenalty.gnmt", penalty.gnmt);
  return (length) => ((5 + length) / 6) ** alpha;
}

function finite(name: string, value: number): number {
  if (typeof value !== "number") throw new InvalidValueError(name, "a number", value);
  if (!Number.isFinite(value)) throw new OutOfRangeError(name, "a finite number", value);
  return value;
}
