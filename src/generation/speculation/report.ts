/** What speculation did in one generation. */

/** Of a whole generation; times are ratios to a plain step of the same generation. */
export interface SpeculationReport {
  /** Who proposed. */
  readonly proposer: string;
  /** Runs over proposals. */
  readonly passes: number;
  /** Steps without proposals: at the beginning, where there were none, and where it was switched off. */
  readonly plainSteps: number;
  readonly proposed: number;
  readonly accepted: number;
  /** By place in a proposal: accepted over looked at, that is, over those whose predecessors were all accepted. */
  readonly acceptanceByPosition: readonly number[];
  /** Accepted proposals per pass. */
  readonly meanAccepted: number;
  /** γ: proposals per pass. */
  readonly meanProposed: number;
  /** c: what one proposal cost in most passes. NaN where no plain step was taken to compare with. */
  readonly draftCost: number;
  /** v: what verifying cost in most passes. */
  readonly verifyCost: number;
  /** E / (γ·c + v) of the passes, with E tokens per pass. */
  readonly passSpeedUp: number;
  /** Of the whole generation, plain steps included: tokens over what they cost. */
  readonly predictedSpeedUp: number;
  /** How often it was switched off because it did not pay. */
  readonly switchedOff: number;
}

/** Counts while a generation goes on. */
export class SpeculationTally {
  passes = 0;
  plainSteps = 0;
  proposed = 0;
  accepted = 0;
  #time = 0;
  readonly #draftTimes: number[] = [];
  readonly #verifyTimes: number[] = [];
  readonly #plainTimes: number[] = [];
  readonly #looked: number[] = [];
  readonly #hits: number[] = [];

  plain(time: number): void {
    this.plainSteps++;
    this.#plainTimes.push(time);
  }

  pass(proposed: number, accepted: number, proposeTime: number, verifyTime: number): void {
    this.passes++;
    this.proposed += proposed;
    this.accepted += accepted;
    this.#time += proposeTime + verifyTime;
    this.#draftTimes.push(proposeTime / proposed);
    this.#verifyTimes.push(verifyTime);
    for (let i = 0; i < Math.min(proposed, accepted + 1); i++) {
      this.#looked[i] = (this.#looked[i] ?? 0) + 1;
      this.#hits[i] = (this.#hits[i] ?? 0) + (i < accepted ? 1 : 0);
    }
  }

  report(proposer: string, switchedOff: number): SpeculationReport {
    const { passes, plainSteps, proposed, accepted } = this;
    const step = median(this.#plainTimes);
    const cost = this.#time / step;
    return {
      proposer,
      passes,
      plainSteps,
      proposed,
      accepted,
      acceptanceByPosition: this.#looked.map((looked, i) => this.#hits[i]! / looked),
      meanAccepted: accepted / passes,
      meanProposed: proposed / passes,
      draftCost: median(this.#draftTimes) / step,
      verifyCost: median(this.#verifyTimes) / step,
      passSpeedUp: (accepted + passes) / cost,
      predictedSpeedUp: (accepted + passes + plainSteps) / (cost + plainSteps),
      switchedOff,
    };
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}
