/** What a proposer is to the rest: somebody who guesses the tokens that come next. Right or wrong, the output is the same. */
import type { ConstraintState, TokenConstraint } from "../constrain/token-constraint.js";
import type { Distribution } from "./acceptance.js";

/** The place that proposals are wanted for. */
export interface ProposalPlace {
  /** All token ids so far. Valid during the call only. */
  readonly ids: readonly number[];
  /** How many of them are the prompt's. */
  readonly promptLength: number;
  /** Tokens that are wanted at most; at least 1. */
  readonly count: number;
  /** What the tokens have to follow, and how far they have; undefined where they are free. */
  readonly constraint?: { readonly constraint: TokenConstraint; readonly state: ConstraintState };
  readonly signal?: AbortSignal;
}

/** Tokens that may come next, one after another. */
export interface Proposal {
  readonly tokens: readonly number[];
  /** What each of the tokens was drawn from; absent where they were not drawn. One for each token. */
  readonly distributions?: readonly Distribution[];
  /** Other continuations, verified in the same run; without distributions. */
  readonly others?: readonly (readonly number[])[];
}

/** What a run over proposals showed. */
export interface Verified {
  /** Tokens of the timeline before the proposals. */
  readonly length: number;
  readonly proposal: Proposal;
  /** For `tokens`, then each of `others`: the likeliest token at every place, one more than there are proposals. */
  readonly likeliest: readonly (readonly number[])[];
}

/** Proposes tokens for one session. */
export interface Proposer {
  /** For reports, such as `draft` or `lookup`. */
  readonly name: string;
  /** Tokens that may come next; none where there is nothing to propose. */
  propose(place: ProposalPlace): Proposal | Promise<Proposal>;
  /** Called after every run over proposals. */
  verified?(verified: Verified): void;
  /** Frees its memory; called once, after the last proposal. */
  dispose?(): void;
}

export const noProposal: Proposal = { tokens: [] };
