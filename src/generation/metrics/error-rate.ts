/** Word, character and phoneme error rates: least insertions, deletions and substitutions, over the reference's length. */
import { InvalidValueError } from "../../core/errors.js";
import { referencesOf } from "./ngrams.js";
import { wordsOf } from "./words.js";

/** Levenshtein's distance: the least number of items to insert, delete or substitute. */
export function editDistance<T>(a: readonly T[], b: readonly T[]): number {
  const row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = row[0]!;
    row[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const substituted = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      diagonal = row[j]!;
      row[j] = Math.min(substituted, row[j]! + 1, row[j - 1]! + 1);
    }
  }
  return row[b.length]!;
}

/**
 * Edits of words over words of the references, all lines together; above 1 where much is inserted.
 * @throws InvalidValueError unless there are as many references as hypotheses, and words in them
 */
export function wordErrorRate(hypotheses: readonly string[], references: readonly string[]): number {
  return errorRate(hypotheses, references, wordsOf);
}

/** The same for characters (code points), white space included. */
export function characterErrorRate(hypotheses: readonly string[], references: readonly string[]): number {
  return errorRate(hypotheses, references, (line) => Array.from(line));
}

function errorRate(
  hypotheses: readonly string[],
  references: readonly string[],
  cut: (line: string) => string[],
): number {
  referencesOf(hypotheses, references);
  let [edits, length] = [0, 0];
  for (const [i, hypothesis] of hypotheses.entries()) {
    const reference = cut(references[i]!);
    edits += editDistance(cut(hypothesis), reference);
    length += reference.length;
  }
  if (length === 0) throw new InvalidValueError("references", "not all empty", "");
  return edits / length;
}

export interface PronunciationErrors {
  /** Edits of phonemes over phonemes of the references. */
  readonly phonemeErrorRate: number;
  /** Share of the words of which no pronunciation was met exactly. */
  readonly wordErrorRate: number;
}

/**
 * How well words were pronounced. Of several pronunciations of a word the nearest counts, of equally near ones the
 * longest.
 * @param hypotheses - phonemes with white space between them, one line for each word
 * @param references - for each word one pronunciation, or several
 * @throws InvalidValueError unless there are as many references as hypotheses, and phonemes in them
 */
export function pronunciationErrors(
  hypotheses: readonly string[],
  references: readonly (string | readonly string[])[],
): PronunciationErrors {
  let [edits, length, wrong] = [0, 0, 0];
  for (const [i, all] of referencesOf(hypotheses, references).entries()) {
    const phonemes = wordsOf(hypotheses[i]!);
    const choices = all.map(wordsOf).map((each) => ({ length: each.length, edits: editDistance(phonemes, each) }));
    const best = choices.reduce((a, b) => (b.edits < a.edits || (b.edits === a.edits && b.length > a.length) ? b : a));
    edits += best.edits;
    length += best.length;
    if (best.edits > 0) wrong++;
  }
  if (length === 0) throw new InvalidValueError("references", "not all empty", "");
  return { phonemeErrorRate: edits / length, wordErrorRate: wrong / hypotheses.length };
}
