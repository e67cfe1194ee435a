/** Which of several completions to take: the likeliest, the one whose answer most agree on, or the nearest to all others. */
import { InvalidValueError } from "../../core/errors.js";
import { chrf } from "../metrics/chrf.js";
import type { Hypothesis } from "./hypothesis.js";

/**
 * Best of n: the one with the largest `value`, by default its score; of equal ones the first.
 * @throws InvalidValueError for an empty list
 */
export function bestOf<T extends Pick<Hypothesis, "score">>(
  hypotheses: readonly T[],
  value: (hypothesis: T) => number = ({ score }) => score,
): T {
  return hypotheses[largest(needSome(hypotheses).map(value))]!;
}

/** An answer, and who gave it. */
export interface Vote<T> {
  readonly answer: string;
  readonly hypotheses: readonly T[];
}

/**
 * Self-consistency: the answers by how many gave them, most first; of equally many the one that came first.
 * Wang et al., 2022 (arXiv:2203.11171).
 * @param answerOf - what counts as the answer in a text, such as its last number; undefined: none
 */
export function vote<T extends Pick<Hypothesis, "text">>(
  hypotheses: readonly T[],
  answerOf: (text: string) => string | undefined = (text) => text.trim(),
): Vote<T>[] {
  const votes = new Map<string, T[]>();
  for (const hypothesis of hypotheses) {
    const answer = answerOf(hypothesis.text);
    if (answer !== undefined) votes.set(answer, [...(votes.get(answer) ?? []), hypothesis]);
  }
  const all = [...votes].map(([answer, those]) => ({ answer, hypotheses: those }));
  return all.sort((a, b) => b.hypotheses.length - a.hypotheses.length);
}

/**
 * Minimum Bayes risk: the one that is nearest to all others on average, each of them taken for the reference in turn.
 * Eikema & Aziz, 2020 (arXiv:2005.10283).
 * @param utility - how good a text is where another is right; default: chrF
 * @returns the first of equally near ones
 * @throws InvalidValueError for an empty list
 */
export function minimumBayesRisk<T extends Pick<Hypothesis, "text">>(
  hypotheses: readonly T[],
  utility: (text: string, reference: string) => number = (text, reference) => chrf([text], [reference]).score,
): T {
  const expected = needSome(hypotheses).map(({ text }, i) =>
    hypotheses.reduce((sum, other, j) => (i === j ? sum : sum + utility(text, other.text)), 0),
  );
  return hypotheses[largest(expected)]!;
}

function largest(values: readonly number[]): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function needSome<T>(hypotheses: readonly T[]): readonly T[] {
  if (hypotheses.length === 0) throw new InvalidValueError("hypotheses", "at least one", 0);
  return hypotheses;
}
