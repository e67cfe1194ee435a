/** Counts of runs of n items: of words for BLEU, of characters for chrF. */
import { InvalidValueError } from "../../core/errors.js";

export type Counts = Map<string, number>;

/** @param separator - between the items of a key, so that different runs have different keys */
export function countNgrams(items: readonly string[], n: number, separator: string): Counts {
  const counts: Counts = new Map();
  for (let i = 0; i + n <= items.length; i++) {
    const key = items.slice(i, i + n).join(separator);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** How many n-grams two counts share. */
export function matches(a: Counts, b: Counts): number {
  let sum = 0;
  for (const [key, count] of a) sum += Math.min(count, b.get(key) ?? 0);
  return sum;
}

/** For every line its references: a text alone is the only one. @throws InvalidValueError for other numbers of lines */
export function referencesOf(
  hypotheses: readonly string[],
  references: readonly (string | readonly string[])[],
): (readonly string[])[] {
  if (hypotheses.length === 0 || references.length !== hypotheses.length) {
    throw new InvalidValueError("references", `as many as the ${hypotheses.length} hypotheses`, references.length);
  }
  return references.map((reference) => {
    const all = typeof reference === "string" ? [reference] : reference;
    if (all.length === 0) throw new InvalidValueError("references", "at least one for each hypothesis", 0);
    return all;
  });
}
