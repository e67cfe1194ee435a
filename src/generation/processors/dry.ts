/** DRY, "don't repeat yourself": a token that would go on with a repetition loses, the more the longer it is already. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { Processor } from "../sampling/candidates.js";

export interface DryOptions {
  /** How strong; 0 does nothing. */
  readonly multiplier: number;
  /** By how much each further repeated token adds. Default 1.75. */
  readonly base?: number;
  /** Repetitions of up to this length cost nothing more than the multiplier. Default 2. */
  readonly allowedLength?: number;
  /** Token ids that no repetition goes across. Default: none (those of line break, `:`, `"` and `*` are usual). */
  readonly sequenceBreakers?: readonly number[];
  /** How far back repetitions are looked for, in tokens. Default: all the way. */
  readonly lastN?: number;
}

/** Beyond this length a penalty would no longer be a float. */
const longest = 1000;

/**
 * z_t −= multiplier · base^(L − allowedLength) where L ≥ allowedLength, L being the length of the longest end of the
 * text that stands somewhere before and goes on with t there.
 * @throws UnknownOptionError, OutOfRangeError, InvalidValueError
 */
export function dryProcessor(options: DryOptions): Processor {
  rejectUnknownOptions(options, ["multiplier", "base", "allowedLength", "sequenceBreakers", "lastN"], "penalties.dry");
  const { multiplier, base = 1.75, allowedLength = 2, sequenceBreakers = [], lastN } = options;
  check("multiplier", multiplier >= 0 && Number.isFinite(multiplier), "0 or above", multiplier);
  check("base", base >= 1 && Number.isFinite(base), "1 or above", base);
  check(
    "allowedLength",
    Number.isInteger(allowedLength) && allowedLength >= 1,
    "a whole number from 1 on",
    allowedLength,
  );
  if (!Array.isArray(sequenceBreakers)) {
    throw new InvalidValueError("penalties.dry.sequenceBreakers", "a list of token ids", sequenceBreakers);
  }
  const breakers = new Set(sequenceBreakers);
  return (candidates, { ids }) => {
    const text = lastN === undefined ? ids : ids.slice(Math.max(0, ids.length - lastN));
    for (const [id, length] of repetitions(text, breakers)) {
      if (length < allowedLength) continue;
      const penalty = Math.min(multiplier * base ** (length - allowedLength), 3e38);
      candidates.change(id, (z) => z - penalty);
    }
  };
}

function check(name: string, isAllowed: boolean, allowed: string, value: number): void {
  if (!isAllowed) throw new OutOfRangeError(`penalties.dry.${name}`, allowed, value);
}

/** For each token that followed an end of the text somewhere before: the length of the longest such end. */
function repetitions(ids: readonly number[], breakers: ReadonlySet<number>): Map<number, number> {
  const lengths = new Map<number, number>();
  // No repetition goes across a breaker, nor begins with one that is to be chosen.
  let reach = 0;
  while (reach < Math.min(ids.length, longest) && !breakers.has(ids[ids.length - 1 - reach]!)) reach++;
  for (let next = 1; next < ids.length; next++) {
    const token = ids[next]!;
    if (breakers.has(token)) continue;
    let length = 0;
    while (length < Math.min(reach, next) && ids[next - 1 - length] === ids[ids.length - 1 - length]) length++;
    if (length > (lengths.get(token) ?? 0)) lengths.set(token, length);
  }
  return lengths;
}
