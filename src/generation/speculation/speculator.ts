/**
 * Takes the steps of a session, several for each run of its model where a proposer guesses what comes.
 *
 * A pass: the proposer's tokens are run behind the last one, and steps take them as long as they are what would have
 * come anyway. Each step is the session's own, so that everything that decides a token, and everything that is known
 * after it, is as without speculation.
 */
import { CacheFullError } from "../../cache/block-pool.js";
import type { Sequence } from "../sequence.js";
import type { Session } from "../session.js";
import type { Step } from "../session-options.js";
import { Economy } from "./economy.js";
import { noProposal, type Proposal, type Proposer } from "./proposer.js";
import { type SpeculationReport, SpeculationTally } from "./report.js";

/** A pass that is under way. */
interface OpenPass {
  readonly proposal: Proposal;
  readonly rows: number;
  readonly proposeTime: number;
  /** Of the run and of the steps so far. */
  verifyTime: number;
  accepted: number;
}

export class Speculator {
  readonly #economy: Economy;
  readonly #tally = new SpeculationTally();
  #pass: OpenPass | undefined;
  /** What asking took, where there was nothing to propose. */
  #asked = 0;
  #isDisposed = false;
  readonly #promptLength: number;

  /**
   * @param session - before its first step
   * @param most - tokens to propose in one pass at most
   * @param adaptive - whether to measure, to choose the number of proposals, and to switch off where it does not pay
   */
  constructor(
    readonly session: Session,
    readonly proposer: Proposer,
    most: number,
    adaptive: boolean,
  ) {
    this.#promptLength = session.length;
    this.#economy = new Economy(most, adaptive, proposer.fixedSize);
  }

  /** @param left - tokens that are wanted at most, this one included */
  async step(left: number, signal?: AbortSignal): Promise<Step> {
    if (this.session.stepsAhead === 0) await this.#begin(left, signal);
    const started = performance.now();
    const step = await this.#step(signal);
    const time = performance.now() - started;
    if (this.#pass !== undefined) this.#follow(this.#pass, time);
    else {
      this.#tally.plain(time + this.#asked);
      this.#economy.plain(time);
    }
    return step;
  }

  async #step(signal: AbortSignal | undefined): Promise<Step> {
    const step = async () => this.session.stepNow() ?? (await this.session.step({ signal }));
    const taken = this.#isDisposed ? await step() : await unlessFull(step());
    if (taken !== undefined) return taken;
    // What the proposer holds may be what the next token needs.
    this.dispose();
    return step();
  }

  /** Of the passes and plain steps that have ended. */
  get report(): SpeculationReport {
    return this.#tally.report(this.proposer.name, this.#economy.switchedOff);
  }

  dispose(): void {
    if (!this.#isDisposed) this.proposer.dispose?.();
    this.#isDisposed = true;
  }

  /** Has proposals run, if any are to be had. */
  async #begin(left: number, signal: AbortSignal | undefined): Promise<void> {
    this.#asked = 0;
    if (this.#isDisposed) return;
    // The last token of a pass comes for nothing.
    const most = Math.min(left - 1, this.session.room - 1);
    const count = Math.min(this.#economy.plan(), most);
    if (count < 1) return;
    const started = performance.now();
    let proposeTime = 0;
    const propose = async (sequence: Sequence): Promise<Proposal> => {
      const proposal = await this.#propose(sequence, count, most, signal);
      proposeTime = performance.now() - started;
      return proposal;
    };
    const verified = await unlessFull(this.session.lookAhead(propose, signal));
    this.#asked = proposeTime;
    if (verified === undefined || verified.proposal.tokens.length === 0) return;
    const { proposal } = verified;
    this.proposer.verified?.(verified);
    const verifyTime = performance.now() - started - proposeTime;
    const others = (proposal.others ?? []).reduce((sum, tokens) => sum + tokens.length + 1, 0);
    const rows = proposal.tokens.length + 1 + others;
    this.#pass = { proposal, rows, proposeTime, verifyTime, accepted: 0 };
  }

  async #propose(sequence: Sequence, count: number, most: number, signal: AbortSignal | undefined): Promise<Proposal> {
    const { tokenIds: ids, constraint } = this.session;
    const place = { ids, promptLength: this.#promptLength, count, constraint, sequence, signal };
    const proposal = await unlessFull(Promise.resolve(this.proposer.propose(place)));
    return proposal === undefined ? noProposal : this.#fitting(proposal, this.proposer.fixedSize ? most : count);
  }

  /** The proposal without what cannot come: tokens beyond the number, outside the vocabulary, or against the constraint. */
  #fitting({ tokens, distributions, others }: Proposal, count: number): Proposal {
    const fitting = (branch: readonly number[]) => branch.slice(0, this.#possible(branch.slice(0, count)));
    const first = fitting(tokens);
    if (distributions !== undefined) return { tokens: first, distributions };
    const rest = others?.map(fitting).filter((branch) => branch.length > 0) ?? [];
    if (first.length === 0) return rest.length === 0 ? noProposal : { tokens: rest[0]!, others: rest.slice(1) };
    return rest.length === 0 ? { tokens: first } : { tokens: first, others: rest };
  }

  #possible(tokens: readonly number[]): number {
    const { vocabSize } = this.session.engine.network.config;
    const { constraint } = this.session;
    let state = constraint?.state;
    for (const [i, token] of tokens.entries()) {
      if (!(Number.isInteger(token) && token >= 0 && token < vocabSize)) return i;
      if (constraint === undefined || state === undefined) continue;
      state = constraint.constraint.advance(state, token);
      if (state === undefined) return i;
    }
    return tokens.length;
  }

  #follow(pass: OpenPass, time: number): void {
    pass.verifyTime += time;
    if (this.session.stepsAhead > 0) pass.accepted++;
    else this.#endPass();
  }

  #endPass(): void {
    const pass = this.#pass;
    if (pass === undefined) return;
    this.#pass = undefined;
    const { accepted, rows, proposeTime, verifyTime } = pass;
    const { length: proposed } = pass.proposal.tokens;
    this.#tally.pass(proposed, accepted, proposeTime, verifyTime);
    this.#economy.pass({ rows, proposed, accepted, proposeTime, verifyTime });
  }
}

/** Undefined where the cache is full: without room for proposals there may still be room for a token. */
async function unlessFull<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof CacheFullError) return undefined;
    throw error;
  }
}
