/** Lists of tokens that may come, that may not, and that must. */
import { InvalidValueError } from "../../core/errors.js";
import type { Processor } from "../sampling/candidates.js";

/** Nothing but these. @throws InvalidValueError for an empty list */
export function allowedTokensProcessor(ids: readonly number[], vocabSize: number): Processor {
  const allowed = new Set(checkTokens("tokens.allowedTokens", ids, vocabSize));
  if (allowed.size === 0) throw new InvalidValueError("tokens.allowedTokens", "at least one id", ids);
  return (candidates) => candidates.banAllBut(allowed);
}

/** None of these. */
export function suppressTokensProcessor(ids: readonly number[], vocabSize: number, name: string): Processor {
  checkTokens(name, ids, vocabSize);
  return (candidates) => {
    for (const id of ids) candidates.ban(id);
  };
}

/** None of these at the beginning of the completion. */
export function beginSuppressTokensProcessor(ids: readonly number[], vocabSize: number): Processor {
  checkTokens("tokens.beginSuppressTokens", ids, vocabSize);
  return (candidates, place) => {
    if (place.ids.length !== place.promptLength) return;
    for (const id of ids) candidates.ban(id);
  };
}

/**
 * Certain tokens at certain places: the chosen one has score 0, all others −∞, so that its probability is 1.
 * @param forced - token ids by their place in the completion, from 0
 */
export function forcedTokensProcessor(forced: Readonly<Record<number, number>>, vocabSize: number): Processor {
  checkTokens("tokens.forcedTokens", Object.values(forced), vocabSize);
  return (candidates, place) => {
    const id = forced[place.ids.length - place.promptLength];
    if (id !== undefined) candidates.force(id);
  };
}

/** Nothing but what a function allows after the ids so far. De Cao et al., 2021 (arXiv:2010.00904). */
export function prefixAllowedTokensProcessor(allowed: (ids: readonly number[]) => Iterable<number>): Processor {
  if (typeof allowed !== "function") {
    throw new InvalidValueError("tokens.prefixAllowedTokens", "a function from ids to ids", allowed);
  }
  return (candidates, { ids }) => candidates.banAllBut(new Set(allowed(ids)));
}

/** @throws InvalidValueError for what is no token id of the vocabulary */
export function checkTokens(name: string, ids: readonly number[], vocabSize: number): readonly number[] {
  for (const id of ids) {
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
      throw new InvalidValueError(name, `token ids from 0 to ${vocabSize - 1}`, id);
    }
  }
  return ids;
}
