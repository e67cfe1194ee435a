/**
 * Lookahead decoding: Jacobi's guesses are not only waited for. Tokens that followed one another in successive passes
 * are kept as N-grams, and those that begin with the last token are verified, several side by side, while a window of
 * guesses goes on in the same run. Fu et al., 2024 (arXiv:2402.02057).
 *
 * Where the paper has one sequence and a mask, here are branches of the cache's blocks: what a token sees, and its bits,
 * are as in a single step.
 */
import { OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { firstGuess } from "./jacobi.js";
import type { Proposal, ProposalPlace, Proposer, Verified } from "./proposer.js";

export interface LookaheadOptions {
  /** W: guesses that go on. Default 5. */
  readonly window?: number;
  /** N: tokens in a run that is kept. Default 3. */
  readonly ngram?: number;
  /** G: runs that are verified at once at most. Default 2. */
  readonly verified?: number;
}

/** What the model said in one pass, of the places from `from` on. */
interface Guesses {
  readonly from: number;
  readonly tokens: readonly number[];
}

/** N-grams that are remembered for one first token. */
const keptOfOne = 16;

export class LookaheadProposer implements Proposer {
  readonly name = "lookahead";
  readonly fixedSize = true;
  readonly #window: number;
  readonly #ngram: number;
  readonly #verified: number;
  /** Guesses of the last N passes, the latest last. */
  #passes: Guesses[] = [];
  /** By first token: what may follow it, the latest last. */
  readonly #pool = new Map<number, (readonly number[])[]>();

  /** @throws UnknownOptionError, OutOfRangeError */
  constructor(options: LookaheadOptions = {}) {
    rejectUnknownOptions(options, ["window", "ngram", "verified"], "speculation.lookahead");
    const { window = 5, ngram = 3, verified = 2 } = options;
    for (const [name, value, from] of [
      ["window", window, 1],
      ["ngram", ngram, 2],
      ["verified", verified, 1],
    ] as const) {
      if (Number.isInteger(value) && value >= from && value <= 32) continue;
      throw new OutOfRangeError(`speculation.lookahead.${name}`, `a whole number from ${from} to 32`, value);
    }
    [this.#window, this.#ngram, this.#verified] = [window, ngram, verified];
  }

  propose({ ids }: ProposalPlace): Proposal {
    const guesses = this.#guessesAt(ids);
    this.#passes.push({ from: ids.length, tokens: guesses });
    const known = this.#pool.get(ids[ids.length - 1]!) ?? [];
    const branches = [...known.slice(-this.#verified).reverse(), guesses];
    return { tokens: branches[0]!, others: branches.slice(1) };
  }

  verified({ length, proposal, likeliest }: Verified): void {
    const { tokens: window } = this.#passes[this.#passes.length - 1]!;
    const branches = [proposal.tokens, ...(proposal.others ?? [])];
    const at = branches.findLastIndex((branch) => branch.every((token, i) => token === window[i]));
    // Guesses that a constraint does not allow have not been run.
    if (at < 0) this.#passes = [];
    else this.#passes[this.#passes.length - 1] = { from: length, tokens: likeliest[at]! };
    this.#collect();
    if (this.#passes.length >= this.#ngram) this.#passes.shift();
  }

  /** W guesses for the places after `ids`: what the model said of them last. */
  #guessesAt(ids: readonly number[]): number[] {
    const { from, tokens } = this.#passes[this.#passes.length - 1] ?? { from: 0, tokens: [] };
    const isFresh = ids.length >= from && ids.length < from + tokens.length;
    if (!isFresh) this.#passes = [];
    const known = isFresh ? tokens.slice(ids.length - from) : [];
    return Array.from({ length: this.#window }, (_, i) => known[i] ?? firstGuess(ids, i));
  }

  /**
   * N-grams along the diagonals: a token of one pass, the one after it in the next pass, said in view of it, and so on.
   */
  #collect(): void {
    const passes = this.#passes.slice(-this.#ngram);
    if (passes.length < this.#ngram) return;
    const [first] = passes as [Guesses];
    for (let place = first.from; place < first.from + first.tokens.length; place++) {
      const run = passes.map(({ from, tokens }, i) => tokens[place + i - from]);
      if (run.some((token) => token === undefined)) continue;
      const [token, ...following] = run as number[];
      this.#keep(token!, following);
    }
  }

  #keep(token: number, following: readonly number[]): void {
    const all = this.#pool.get(token) ?? [];
    const others = all.filter((each) => each.some((id, i) => id !== following[i]));
    this.#pool.set(token, [...others, following].slice(-keptOfOne));
  }
}
