/**
 * Jacobi decoding: guesses for the next γ tokens, all replaced at once by what the model says given the guesses before
 * them. The first that is not settled becomes right in every pass, so the fixed point, which is the greedy completion, is
 * reached in at most as many passes as there are tokens. Santilli et al., 2023 (arXiv:2305.10427).
 */
import type { Proposal, ProposalPlace, Proposer, Verified } from "./proposer.js";

export class JacobiProposer implements Proposer {
  readonly name = "jacobi";
  /** What the model said last: of the places from `#from` on. */
  #said: readonly number[] = [];
  #from = 0;

  propose({ ids, count }: ProposalPlace): Proposal {
    const isFresh = ids.length >= this.#from && ids.length < this.#from + this.#said.length;
    const known = isFresh ? this.#said.slice(ids.length - this.#from) : [];
    return { tokens: Array.from({ length: count }, (_, i) => known[i] ?? firstGuess(ids, i)) };
  }

  verified({ length, likeliest }: Verified): void {
    this.#from = length;
    this.#said = likeliest[0]!;
  }
}

/** Any token would do; one of the text's own has the best prospects. */
export function firstGuess(ids: readonly number[], place: number): number {
  return ids[(Math.imul(ids.length, 31) + place) % ids.length]!;
}
