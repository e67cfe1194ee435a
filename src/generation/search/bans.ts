/** Which tokens a hypothesis may not be continued with: banned ones, ends before their time, ends of bad words. */

/** Ids to ban after `tokens`; the lists of bans are few and short. */
export type Bans = (tokens: readonly number[]) => Iterable<number>;

export interface BanRules {
  /** Never chosen. */
  readonly bannedIds: readonly number[];
  readonly ends: ReadonlySet<number>;
  /** Tokens before which no end may come. */
  readonly minTokens: number;
  /** Sequences of which the last token is banned where the others stand before it, in the prompt too. */
  readonly badWords: readonly (readonly number[])[];
}

/** @param prompt - what stands before the generated tokens */
export function bansOf({ bannedIds, ends, minTokens, badWords }: BanRules, prompt: ArrayLike<number>): Bans {
  const always = [...bannedIds, ...badWords.filter((word) => word.length === 1).map((word) => word[0]!)];
  const words = badWords.filter((word) => word.length > 1);
  const tokenAt = (tokens: readonly number[], at: number) => (at >= 0 ? tokens[at] : prompt[prompt.length + at]);
  const isBegun = (word: readonly number[], tokens: readonly number[]) => {
    const start = tokens.length - (word.length - 1);
    for (let i = 0; i < word.length - 1; i++) if (tokenAt(tokens, start + i) !== word[i]) return false;
    return true;
  };
  return function* bans(tokens) {
    yield* always;
    if (tokens.length < minTokens) yield* ends;
    for (const word of words) if (isBegun(word, tokens)) yield word.at(-1)!;
  };
}
