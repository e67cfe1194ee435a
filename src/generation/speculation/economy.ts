/**
 * Whether speculation pays, and how many tokens to propose: E / (γ·c + v) from what was measured.
 *
 * E is the number of tokens that a pass is expected to give, c what a proposal costs and v what verifying costs, both in
 * plain steps. Leviathan et al., 2023 (arXiv:2211.17192), §3.3. Where no γ gives more than 1, it switches itself off,
 * and tries again later; what it may lose in all is bounded by an allowance that grows by a small share of a step with
 * every token.
 */
import { Line, Rate, RecentMedian } from "./costs.js";

/** One pass over proposals. */
export interface Pass {
  /** Proposals that were verified along with the last token, of all branches. */
  readonly rows: number;
  readonly proposed: number;
  readonly accepted: number;
  readonly proposeTime: number;
  readonly verifyTime: number;
}

/** Plain steps that have to be known before the first proposal. */
const stepsToKnow = 2;
/** Passes between two plain steps that are taken to know what they cost now. */
const passesToAsk = 16;
/** Proposals of a pass as long as nobody knows what they cost. */
const blindProposals = 2;
/** Passes of which one proposes more than seems best. */
const passesToExplore = 6;
/** Passes after which the estimates are believed. */
const passesToJudge = 3;
/** What may be lost, in plain steps: at the beginning, more with each token, and at most. */
const [allowance, allowancePerToken, mostAllowance] = [2, 0.007, 4];
/** Tokens until the next attempt: at first, and at most. */
const [firstPause, longestPause] = [16, 512];
/** Acceptance that is expected before anything is known, and how many proposals' worth of knowledge that is. */
const [expectedAcceptance, priorWeight] = [0.7, 1.5];

export class Economy {
  readonly #step = new RecentMedian();
  /** By the number of proposals: the first takes more than the others, since the draft reads what came meanwhile. */
  readonly #proposals = new Line((count, time) => time / count);
  /** By the number of rows: eight more cost somewhat more than half a step. */
  readonly #runs = new Line((_, time) => 0.05 * time);
  /** By place in a proposal: how often it was looked at and accepted, lately. */
  readonly #looked: number[] = [];
  readonly #hits: number[] = [];
  /** Tokens per plain step's worth of time, in passes. */
  readonly #gain = new Rate();
  #budget = allowance;
  #pause = firstPause;
  #waiting = 0;
  /** Passes since it was switched on last. */
  #trial = 0;
  #sincePlain = 0;
  #isOn = true;
  /** How often it was switched off. */
  switchedOff = 0;

  /**
   * @param most - proposals of a pass
   * @param adaptive - whether to choose their number and to switch off; otherwise it is always `most`
   * @param fixedSize - whether the proposer does not go by the number
   */
  constructor(
    readonly most: number,
    readonly adaptive: boolean,
    readonly fixedSize = false,
  ) {}

  get isOn(): boolean {
    return this.#isOn;
  }

  /** Proposals to ask for; 0: take a plain step. */
  plan(): number {
    if (!this.adaptive) return this.most;
    if (this.#step.count < stepsToKnow) return 0;
    if (this.#sincePlain >= passesToAsk) return 0;
    if (!this.#isOn) this.#tryAgain();
    if (!this.#isOn) return 0;
    if (this.fixedSize) return this.most;
    if (this.#proposals.count === 0) return Math.min(this.most, blindProposals);
    // Now and then some more: what they cost, and whether they are accepted, is known only from trying.
    const more = this.#trial % passesToExplore === passesToExplore - 1 ? 2 : 0;
    return Math.min(this.most, this.#best().count + more);
  }

  /** A plain step has taken this long. */
  plain(time: number): void {
    this.#step.add(time);
    this.#sincePlain = 0;
    if (!this.#isOn) this.#waiting++;
    this.#earn(allowancePerToken);
  }

  pass({ rows, proposed, accepted, proposeTime, verifyTime }: Pass): void {
    const catchesUp = this.#trial === 0;
    // The first proposal includes what a draft has not read yet; the prompt is read once, and not held against it.
    if (!catchesUp) this.#proposals.add(proposed, proposeTime);
    const isPaid = catchesUp && this.switchedOff > 0;
    const paid = isPaid ? proposeTime / this.#step.value : this.draftCost(proposed);
    this.#runs.add(rows, verifyTime);
    this.#sincePlain++;
    for (let i = 0; i < Math.min(proposed, accepted + 1); i++) {
      this.#looked[i] = 0.95 * (this.#looked[i] ?? 0) + 1;
      this.#hits[i] = 0.95 * (this.#hits[i] ?? 0) + (i < accepted ? 1 : 0);
    }
    if (!this.adaptive) return;
    const cost = paid + this.verifyCost(rows);
    this.#earn(accepted + 1 - cost + allowancePerToken * (accepted + 1));
    this.#trial++;
    this.#gain.add(accepted + 1, cost);
    const speedUp = this.fixedSize ? this.#gain.value! : this.#best().speedUp;
    const hopeless = this.#trial >= passesToJudge && speedUp < 1;
    if (this.#budget < 0 || hopeless) this.#switchOff();
    else if (this.#trial === 4 * passesToJudge) this.#pause = firstPause;
  }

  /** γ·c: so many proposals, in plain steps. */
  draftCost(proposed: number): number {
    return this.#proposals.at(proposed) / this.#step.value;
  }

  /** v: verifying `rows` tokens in one run, in plain steps. */
  verifyCost(rows: number): number {
    return this.#runs.count === 0 ? 1 + 0.06 * rows : this.#runs.at(rows) / this.#step.value;
  }

  /** E / (γ·c + v) of γ proposals. */
  speedUpOf(count: number): number {
    let [expected, all] = [1, 1];
    for (let i = 0; i < count; i++) {
      all *= this.#acceptanceAt(i);
      expected += all;
    }
    return expected / (this.draftCost(count) + this.verifyCost(count + 1));
  }

  /** The probability that proposal `i` is accepted where those before it were. */
  #acceptanceAt(i: number): number {
    const looked = this.#looked.reduce((sum, each) => sum + each, 0);
    const hits = this.#hits.reduce((sum, each) => sum + each, 0);
    const overall = (hits + priorWeight * expectedAcceptance) / (looked + priorWeight);
    return ((this.#hits[i] ?? 0) + priorWeight * overall) / ((this.#looked[i] ?? 0) + priorWeight);
  }

  #best(): { count: number; speedUp: number } {
    let best = { count: 1, speedUp: this.speedUpOf(1) };
    for (let count = 2; count <= this.most; count++) {
      const speedUp = this.speedUpOf(count);
      if (speedUp > best.speedUp) best = { count, speedUp };
    }
    return best;
  }

  #earn(steps: number): void {
    this.#budget = Math.min(mostAllowance, this.#budget + steps);
  }

  #switchOff(): void {
    this.#isOn = false;
    this.#waiting = 0;
    this.switchedOff++;
  }

  /** On again after a pause, each twice as long as the one before, where an attempt can be afforded. */
  #tryAgain(): void {
    if (this.#waiting < this.#pause || this.#budget < 1) return;
    this.#isOn = true;
    this.#trial = 0;
    this.#pause = Math.min(longestPause, 2 * this.#pause);
    // What the text was like then says little about what it is like now.
    for (const i of this.#looked.keys()) [this.#looked[i], this.#hits[i]] = [this.#looked[i]! / 4, this.#hits[i]! / 4];
  }
}
