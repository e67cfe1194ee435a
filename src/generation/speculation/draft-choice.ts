/** How a draft chooses: as the target does, with the same processors, filters and constraint, from its own logits. */
import { CounterRandom } from "../../core/random.js";
import type { ConstraintState } from "../constrain/token-constraint.js";
import type { Candidates, Place } from "../sampling/candidates.js";
import { NoTokenLeftError, type Pipeline } from "../sampling/pipeline.js";
import { argmax, choiceOf, draftStream } from "../sampling/sampler.js";
import type { ChoiceModel, ChoiceOptions } from "../sampling/stages.js";
import { type Distribution, distributionOf, drawFrom } from "./acceptance.js";
import type { LogitRow } from "./ahead.js";
import type { ProposalPlace } from "./proposer.js";

/** What the target chooses by. */
export interface TargetChoice {
  /** Processors of one's own are left to the target: they may count their calls. */
  readonly options: ChoiceOptions;
  readonly seed: number;
  /** Draw as the target will, and leave it to the target's own draw whether the token stays. */
  readonly sameDraws: boolean;
}

/** What a draft proposes for one place. */
export interface DraftToken {
  readonly token: number;
  /** What it was drawn from, unless the target is to draw for itself. */
  readonly from?: Distribution;
}

export class DraftChoice {
  readonly #pipeline: Pipeline;
  readonly #random: CounterRandom | undefined;
  readonly #left: Float32Array;

  constructor(
    readonly model: ChoiceModel,
    readonly target: TargetChoice,
  ) {
    const { processors: _, ...options } = target.options;
    const { pipeline, seed } = choiceOf(options, model);
    this.#pipeline = pipeline;
    if (seed !== undefined) this.#random = new CounterRandom(target.seed, target.sameDraws ? 0 : draftStream);
    this.#left = new Float32Array(model.vocabSize);
  }

  /**
   * @param place - `ids` up to the token that is being chosen
   * @param state - of the place's constraint, after the tokens so far
   * @returns undefined where no token is left
   */
  choose(row: LogitRow, place: ProposalPlace, state?: ConstraintState): DraftToken | undefined {
    const { ids, promptLength, constraint } = place;
    const random = this.#random;
    const isFree = constraint === undefined || state === undefined;
    if (random === undefined && this.#pipeline.stages.length === 0) {
      if (isFree || constraint.constraint.advance(state, row.likeliest) !== undefined) return { token: row.likeliest };
    }
    if (!isFree && constraint.constraint.apply(state, row.logits, this.#left) === 0) return undefined;
    const position = ids.length;
    const uniform = (stream: number) => new CounterRandom(this.target.seed, stream).uniform(position);
    const candidates = this.#run(isFree ? row.logits : this.#left, { ids, promptLength, uniform });
    if (candidates === undefined) return undefined;
    if (random === undefined) {
      return { token: candidates.ids[argmax(candidates.scores.subarray(0, candidates.count))]! };
    }
    const from = distributionOf(candidates);
    const token = drawFrom(from, random.uniform(position));
    return this.target.sameDraws ? { token } : { token, from };
  }

  #run(logits: Float32Array, place: Place): Candidates | undefined {
    try {
      return this.#pipeline.run(logits, place);
    } catch (error) {
      if (error instanceof NoTokenLeftError) return undefined;
      throw error;
    }
  }
}
