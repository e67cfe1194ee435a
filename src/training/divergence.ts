/** Noticing that a run has come apart, and saying where. */
import { HithertoError } from "../core/errors.js";

/** Training came apart: nothing that follows from this step could be trusted, so it was not taken. */
export class DivergenceError extends HithertoError {
  readonly code = "DIVERGENCE";

  constructor(
    /** The step that was not taken. */
    readonly step: number,
    /** The parameter whose gradient (or value) is not finite, or has the largest norm. */
    readonly tensor: string,
    readonly problem: string,
    /** Where the newest checkpoint from before lies; undefined where there is none. */
    readonly lastCheckpoint: string | undefined,
  ) {
    const good =
      lastCheckpoint === undefined ? "there is no checkpoint" : `the last good checkpoint is ${lastCheckpoint}`;
    super(`training diverged at step ${step}: ${problem} in ${tensor}; ${good}`);
  }
}

/** The Euclidean norm of the gradient, and of each parameter's part of it. */
export interface GradientNorms {
  readonly total: number;
  readonly byParameter: ReadonlyMap<string, number>;
}

/** Steps before a norm can be called too large. */
const stepsToLearn = 50;
/** A norm this many times the usual one is no outlier any more. */
const explosion = 1000;

/** Knows what norms are usual: their moving mean, which is part of a checkpoint. */
export class DivergenceWatch {
  #mean: number;
  #count: number;

  constructor(state: { readonly mean: number; readonly count: number } = { mean: 0, count: 0 }) {
    this.#mean = state.mean;
    this.#count = state.count;
  }

  get state(): { mean: number; count: number } {
    return { mean: this.#mean, count: this.#count };
  }

  /** What is wrong with this step, and in which parameter; undefined when nothing is. */
  check(loss: number, norms: GradientNorms): { tensor: string; problem: string } | undefined {
    const bad = [...norms.byParameter].find(([, norm]) => !Number.isFinite(norm));
    if (bad !== undefined) return { tensor: bad[0], problem: `a gradient that is not finite (loss ${loss})` };
    if (!Number.isFinite(loss)) return { tensor: "loss", problem: `${loss}` };
    const { total } = norms;
    if (this.#count >= stepsToLearn && total > explosion * this.#mean) {
      const [tensor] = [...norms.byParameter].reduce((most, each) => (each[1] > most[1] ? each : most));
      return { tensor, problem: `a gradient norm of ${total.toPrecision(3)}, usually ${this.#mean.toPrecision(3)},` };
    }
    this.#count++;
    this.#mean += (total - this.#mean) / Math.min(this.#count, 100);
    return undefined;
  }
}
