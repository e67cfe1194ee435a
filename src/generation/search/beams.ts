/**
 * One prompt's beam search: which beams go on, which hypotheses are finished, and when it is over.
 *
 * Knows no model: continuations go in, beams to run come out. The rules are those of Hugging Face's `generate`
 * (transformers 5), which are Sutskever et al.'s (2014) with three ways to stop early.
 */
import type { Continuation } from "./continuations.js";
import type { Phrases } from "./phrases.js";

/** `true`: at the first `beams` finished hypotheses. `false`: when the best beam, at the length that it has now, is no
 * better than the worst of `beams` finished ones. `"never"`: when no beam can become better than that at any length. */
export type EarlyStopping = boolean | "never";

export interface BeamRules {
  readonly beams: number;
  /** Tokens of a hypothesis at most, the end token included. */
  readonly maxTokens: number;
  readonly earlyStopping: EarlyStopping;
  readonly ends: ReadonlySet<number>;
  /** What Σ ln p is divided by at a length. */
  readonly divisor: (length: number) => number;
  /**
   * The rules of transformers before 4.50, the last that had groups of beams: what ended at a step still bounds what can
   * come of it, and at the greatest length what has an end comes before what has none.
   */
  readonly olderRules: boolean;
  /** What every hypothesis must have. With the older rules only. */
  readonly phrases?: Phrases;
}

export interface Beam {
  /** What was generated so far. */
  readonly tokens: readonly number[];
  /** Σ ln p of them. */
  readonly logprob: number;
  /** Index of the beam that it continues among those of the step before. */
  readonly parent: number;
}

/** A beam that has come to its end. */
export interface FinishedBeam {
  /** Generated tokens, the end token included where there is one. */
  readonly tokens: readonly number[];
  readonly logprob: number;
  /** `logprob` divided by the length penalty. */
  readonly score: number;
}

export class Beams {
  #running: readonly Beam[] = [{ tokens: [], logprob: 0, parent: 0 }];
  /** At most `beams`, best first. */
  #finished: readonly FinishedBeam[] = [];
  #chosen: readonly number[] = [];
  #length = 0;

  constructor(readonly rules: BeamRules) {}

  /** Beams that are to be continued, best first; none when the search is over. */
  get running(): readonly Beam[] {
    return this.#running;
  }

  /** Best first; of equal ones the one that was finished first. */
  get finished(): readonly FinishedBeam[] {
    return this.#finished;
  }

  /** The tokens with which the beams went on at the last step, or would have where there was no room for more. */
  get chosen(): readonly number[] {
    return this.#chosen;
  }

  /** So many candidates that ends cannot starve the search. */
  get candidates(): number {
    return Math.max(2, this.rules.ends.size + 1) * this.rules.beams;
  }

  /**
   * Takes the best `candidates` continuations of the running beams, best first, or as they were drawn.
   * @param forward - those that come further with a phrase
   */
  advance(continuations: readonly Continuation[], forward: readonly Continuation[] = []): void {
    const { beams, olderRules, phrases } = this.rules;
    this.#length++;
    const isLast = this.#length === this.rules.maxTokens;
    const ends = (each: Continuation) => this.rules.ends.has(each.token);
    const before = this.#running;
    const extended = (each: Continuation): Beam => ({
      tokens: [...before[each.beam]!.tokens, each.token],
      logprob: each.logprob,
      parent: each.beam,
    });
    const likeliest = continuations
      .filter((each) => !ends(each))
      .sort((a, b) => b.logprob - a.logprob)
      .slice(0, beams)
      .map(extended);
    const further = phrases?.share(before, likeliest, forward) ?? likeliest;
    // What ends outside the best `beams` is dropped: it was a reserve only.
    const best = continuations.slice(0, beams);
    const done = best.filter((each) => ends(each) || (isLast && !olderRules));
    this.#finish(done.filter((each) => phrases?.has(before[each.beam]!.tokens) !== false).map(extended));
    this.#chosen = further.map(({ tokens }) => tokens.at(-1)!);
    this.#running = further;
    const bound = olderRules ? continuations[0]?.logprob : further[0]?.logprob;
    const isOver = this.#isOver(bound ?? Number.NEGATIVE_INFINITY);
    if (isLast && olderRules && !isOver) this.#finish(further.filter(({ tokens }) => phrases?.has(tokens) !== false));
    if (isLast || isOver) this.#running = [];
  }

  #finish(ended: readonly Beam[]): void {
    const divisor = this.rules.divisor(this.#length);
    const added = ended.map(({ tokens, logprob }) => ({ tokens, logprob, score: logprob / divisor }));
    this.#finished = [...this.#finished, ...added].sort((a, b) => b.score - a.score).slice(0, this.rules.beams);
  }

  /** @param logprob - of the best that may still become better */
  #isOver(logprob: number): boolean {
    if (this.#running.length === 0) return true;
    if (this.#finished.length < this.rules.beams) return false;
    return this.rules.earlyStopping === true || !this.#canImprove(logprob);
  }

  /** Whether it may beat the worst of the finished ones. */
  #canImprove(logprob: number): boolean {
    const { earlyStopping, divisor, maxTokens } = this.rules;
    // A penalty that grows with the length favours the longest hypothesis; one that does not, the shortest.
    const favoursLong = divisor(maxTokens) > divisor(this.#length);
    const bound = logprob / divisor(earlyStopping === "never" && favoursLong ? maxTokens : this.#length);
    return bound > this.#finished.at(-1)!.score;
  }
}
