/** What a proposer is to the rest: somebody who guesses the tokens that come next. Right or wrong, the output is the same. */
import type { ConstraintState, TokenConstraint } from "../constrain/token-constraint.js";
import type { Sequence } from "../sequence.js";
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
  /** The session's place in the cache: an own program may run it on, and has to cut it back to its length. */
  readonly sequence: Sequence;
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

/** Finds a proposal for the end of a timeline, whose place in the cache is `sequence`. */
export type FindProposal = (sequence: Sequence) => Promise<Proposal>;

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
  /** Whether it proposes what it has, however few tokens are wanted, because it does not cost more. */
  readonly fixedSize?: boolean;
  /** Tokens that may come next; none where there is nothing to propose. */
  propose(place: ProposalPlace): Proposal | Promise<Proposal>;
  /** Called after every run over proposals. */
  verified?(verified: Verified): void;
  /** Frees its memory; called once, after the last proposal. */
  dispose?(): void;
}

export const noProposal: Proposal = { tokens: [] };
