/**
 * One prompt's beam search: which beams go on, which hypotheses are finished, and when it is over.
 *
 * Knows no model: continuations go in, beams to run come out. The rules are those of Hugging Face's `generate`
 * (transformers 5), which are Sutskever et al.'s (2014) with three ways to stop early.
 */
import type { Continuation } from "./continuations.js";

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

  /** So many candidates that ends cannot starve the search. */
  get candidates(): number {
    return Math.max(2, this.rules.ends.size + 1) * this.rules.beams;
  }

  /** Takes the best `candidates` continuations of the running beams, best first. */
  advance(continuations: readonly Continuation[]): void {
    const { beams } = this.rules;
    this.#length++;
    const isLast = this.#length === this.rules.maxTokens;
    const ends = (each: Continuation) => isLast || this.rules.ends.has(each.token);
    const before = this.#running;
    const extended = (each: Continuation): Beam => ({
      tokens: [...before[each.beam]!.tokens, each.token],
      logprob: each.logprob,
      parent: each.beam,
    });
    // What ends outside the best `beams` is dropped: it was a reserve only.
    this.#finish(continuations.slice(0, beams).filter(ends).map(extended));
    this.#running = continuations
      .filter((each) => !ends(each))
      .slice(0, beams)
      .map(extended);
    if (this.#isOver()) this.#running = [];
  }

  #finish(ended: readonly Beam[]): void {
    const divisor = this.rules.divisor(this.#length);
    const added = ended.map(({ tokens, logprob }) => ({ tokens, logprob, score: logprob / divisor }));
    this.#finished = [...this.#finished, ...added].sort((a, b) => b.score - a.score).slice(0, this.rules.beams);
  }

  #isOver(): boolean {
    if (this.#running.length === 0) return true;
    if (this.#finished.length < this.rules.beams) return false;
    return this.rules.earlyStopping === true || !this.#canImprove();
  }

  /** Whether the best running beam may still beat the worst of the finished ones. */
  #canImprove(): boolean {
    const { earlyStopping, divisor, maxTokens } = this.rules;
    const { logprob } = this.#running[0]!;
    // A penalty that grows with the length favours the longest hypothesis; one that does not, the shortest.
    const favoursLong = divisor(maxTokens) > divisor(this.#length);
    const bound = logprob / divisor(earlyStopping === "never" && favoursLong ? maxTokens : this.#length);
    return bound > this.#finished.at(-1)!.score;
  }
}
