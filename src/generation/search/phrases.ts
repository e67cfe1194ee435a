/**
 * Phrases that a hypothesis must have: how far it has come with them, and which beams go on for their sake.
 *
 * Beams are shared out among banks, hypotheses that have come equally far, so that those with more of the phrases are
 * not crowded out by likelier ones with fewer. Post & Vilar, 2018 (arXiv:1804.06609); Hu et al., 2019. The rules are
 * those of transformers 4.49, but that a phrase in the prompt does not count.
 */
import { HithertoError, InvalidValueError } from "../../core/errors.js";
import { checkTokens } from "../processors/token-lists.js";
import type { Beam } from "./beams.js";
import type { Continuation } from "./continuations.js";

/** A phrase, or several of which one is enough. Text is encoded as it is: most tokenizers want its space before it. */
export type RequiredPhrase = string | readonly number[] | { readonly anyOf: readonly (string | readonly number[])[] };

/** At the greatest length no hypothesis had every phrase. */
export class PhrasesMissingError extends HithertoError {
  readonly code = "PHRASES_MISSING";

  constructor(
    readonly prompt: number,
    readonly length: number,
  ) {
    super(`prompt ${prompt}: no hypothesis of ${length} tokens has every phrase of mustInclude`);
  }
}

/** How far a hypothesis has come. */
interface Progress {
  readonly complete: number;
  /** The phrase that it is in the middle of, and how much of it has come. */
  readonly open?: { readonly phrase: number; readonly path: readonly number[] };
  /** Phrases that have not begun, in the order in which they are looked for. */
  readonly pending: readonly number[];
}

export class Phrases {
  readonly #longest: number;

  /** @param phrases - the alternatives of each, none of which begins with another */
  constructor(readonly phrases: readonly (readonly (readonly number[])[])[]) {
    this.#longest = Math.max(...phrases.map((phrase) => longestOf(phrase)));
  }

  has(tokens: readonly number[]): boolean {
    return this.#after(tokens).complete === this.phrases.length;
  }

  /** The tokens that bring a hypothesis further: of the phrase that it is in, or the first of every other. */
  next(tokens: readonly number[]): number[] {
    const { open, pending } = this.#after(tokens);
    if (open !== undefined) return this.#following(open.phrase, open.path);
    return [...new Set(pending.flatMap((phrase) => this.#following(phrase, [])))];
  }

  /**
   * The beams that go on, out of those that would and those that come further with a phrase.
   * @param further - as many as go on, best first
   * @param forward - continuations with a token of `next`
   */
  share(before: readonly Beam[], further: readonly Beam[], forward: readonly Continuation[]): Beam[] {
    const known = new Set(further.map(({ tokens }) => tokens.join()));
    const all = [...further];
    for (const { beam, token, logprob } of forward) {
      const tokens = [...before[beam]!.tokens, token];
      if (known.has(tokens.join())) continue;
      known.add(tokens.join());
      all.push({ tokens, logprob, parent: beam });
    }
    if (all.length === further.length) return all;
    const ranks = new Map<number, number>();
    return all
      .map((beam) => ({ beam, bank: this.#bank(beam.tokens) }))
      .sort((a, b) => b.bank - a.bank || b.beam.logprob - a.beam.logprob)
      .map(({ beam, bank }) => {
        const rank = ranks.get(bank) ?? 0;
        ranks.set(bank, rank + 1);
        return { beam, rank };
      })
      .sort((a, b) => a.rank - b.rank)
      .slice(0, further.length)
      .map(({ beam }) => beam);
  }

  /** Tokens' worth of phrases, each complete one worth the longest. */
  #bank(tokens: readonly number[]): number {
    const { complete, open } = this.#after(tokens);
    if (open === undefined) return complete * this.#longest;
    const left = longestOf(this.phrases[open.phrase]!) - open.path.length;
    return complete * this.#longest + this.#longest - left;
  }

  #after(tokens: readonly number[]): Progress {
    let progress: Progress = { complete: 0, pending: [...this.phrases.keys()] };
    for (const token of tokens) progress = this.#take(progress, token);
    return progress;
  }

  /** A token that breaks a phrase off begins no other, not even the same. */
  #take({ complete, open, pending }: Progress, token: number): Progress {
    const phrase = open?.phrase ?? pending.find((each) => this.#following(each, []).includes(token));
    if (phrase === undefined) return { complete, pending };
    const rest = pending.filter((each) => each !== phrase);
    const path = [...(open?.path ?? []), token];
    if (!this.#following(phrase, path.slice(0, -1)).includes(token)) return { complete, pending: [...rest, phrase] };
    if (this.#following(phrase, path).length === 0) return { complete: complete + 1, pending: rest };
    return { complete, open: { phrase, path }, pending: rest };
  }

  /** What may follow a part of a phrase; nothing where it is whole. */
  #following(phrase: number, path: readonly number[]): number[] {
    const fitting = this.phrases[phrase]!.filter((each) => path.every((token, i) => each[i] === token));
    return [...new Set(fitting.flatMap((each) => each.slice(path.length, path.length + 1)))];
  }
}

function longestOf(phrase: readonly (readonly number[])[]): number {
  return Math.max(...phrase.map(({ length }) => length));
}

/**
 * @param encode - what makes token ids of a text
 * @throws InvalidValueError for an empty phrase, or alternatives of which one begins with another
 */
export function phrasesOf(
  phrases: readonly RequiredPhrase[],
  vocabSize: number,
  encode: (text: string) => ArrayLike<number>,
): Phrases | undefined {
  if (!Array.isArray(phrases)) throw new InvalidValueError("mustInclude", "a list of phrases", phrases);
  const idsOf = (text: string | readonly number[]) =>
    checkTokens("mustInclude", typeof text === "string" ? Array.from(encode(text)) : text, vocabSize);
  const all = (phrases as readonly RequiredPhrase[]).map((phrase) => {
    const alternatives = typeof phrase === "object" && "anyOf" in phrase ? phrase.anyOf : [phrase];
    return checkAlternatives(alternatives.map(idsOf), phrase);
  });
  return all.length === 0 ? undefined : new Phrases(all);
}

function checkAlternatives(
  ids: readonly (readonly number[])[],
  phrase: RequiredPhrase,
): readonly (readonly number[])[] {
  if (ids.length === 0 || ids.some(({ length }) => length === 0)) {
    throw new InvalidValueError("mustInclude", "phrases of at least one token", phrase);
  }
  const begins = (a: readonly number[], b: readonly number[]) => a.every((token, i) => b[i] === token);
  if (ids.some((a, i) => ids.some((b, j) => i !== j && begins(a, b)))) {
    throw new InvalidValueError("mustInclude", "alternatives of which none begins with another", phrase);
  }
  return ids;
}
