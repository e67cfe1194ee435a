/** How large a constraint may become. Each limit is an error that names it, never a machine that hangs. */
import { ConstraintLimitError } from "./errors.js";

export const limits = {
  /** States of one regular expression's automaton before it is made deterministic. */
  automatonStates: 200_000,
  /** States that are looked at to see whether a combination of regular languages can still end. */
  exploredStates: 50_000,
  /** Places of a grammar that one text can be at, all at once. */
  places: 20_000,
  /** Rules of a grammar, combinations of subschemas. */
  rules: 20_000,
  /** Alternatives that `anyOf` and `allOf` multiply out to at one place. */
  alternatives: 4096,
  /** Nesting of groups or of subschemas in what was given. */
  nesting: 200,
} as const;

/**
 * Digits of a number before and after its point, so that none goes on without end: as many as JavaScript itself writes
 * of any double before it turns to an exponent. Where a range holds no such number, as many as its bounds have.
 */
export const digitsAtMost = { integer: 21, fraction: 22 } as const;

const names: Readonly<Record<keyof typeof limits, string>> = {
  automatonStates: "automaton states",
  exploredStates: "states of combined patterns",
  places: "places in the grammar at once",
  rules: "rules",
  alternatives: "alternatives at one place",
  nesting: "levels of nesting",
};

/** @throws ConstraintLimitError when `actual` is over the limit */
export function holdLimit(limit: keyof typeof limits, actual: number): void {
  if (actual > limits[limit]) throw new ConstraintLimitError(names[limit], limits[limit]);
}
