/** Values of flags: parsed, checked, and refused by the flag's own name. */
import { HithertoError } from "../core/errors.js";

/** A flag has a value that it does not allow. */
export class FlagError extends HithertoError {
  readonly code = "INVALID_FLAG";

  constructor(
    readonly flag: string,
    readonly allowed: string,
    readonly actual: string,
  ) {
    super(`${flag} must be ${allowed}, got ${JSON.stringify(actual)}`);
  }
}

const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** A parser of whole numbers in [from, to]. */
export function wholeNumber(
  flag: string,
  from: number,
  to: number = Number.MAX_SAFE_INTEGER,
): (text: string) => number {
  const allowed = `a whole number from ${from} ${to === Number.MAX_SAFE_INTEGER ? "on" : `to ${to}`}`;
  return number(flag, allowed, (value) => Number.isSafeInteger(value) && value >= from && value <= to);
}

/** A parser of the numbers that `isAllowed`; `allowed` says in words which those are. */
export function number(flag: string, allowed: string, isAllowed: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = decimal.test(text) ? Number(text) : Number.NaN;
    if (!(Number.isFinite(value) && isAllowed(value))) throw new FlagError(flag, allowed, text);
    return value;
  };
}

/** A parser of one of `choices`. */
export function oneOf<T extends string>(flag: string, choices: readonly T[]): (text: string) => T {
  return (text) => {
    const choice = choices.find((each) => each === text);
    if (choice === undefined) throw new FlagError(flag, `one of ${choices.join(", ")}`, text);
    return choice;
  };
}

/** A parser of a flag that may be given several times: each adds a text. */
export function texts(flag: string): (text: string, before: readonly string[] | undefined) => readonly string[] {
  return (text, before = []) => {
    if (text === "") throw new FlagError(flag, "a text of at least one character", text);
    return [...before, text];
  };
}
