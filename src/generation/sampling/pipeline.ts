/** Runs the stages between the logits and the draw, and tells what each of them removed. */
import { assert, HithertoError } from "../../core/errors.js";
import { Candidates, type Place } from "./candidates.js";
import { type Stage, shapeStages } from "./stages.js";

/** What one stage did at one step. */
export interface StageReport {
  readonly stage: string;
  /** Tokens that were possible before it and are not any more. */
  readonly removed: number;
  /** The probability that they had before it. */
  readonly mass: number;
  /** Tokens that are still possible. */
  readonly left: number;
}

/** Processors and filters leave no token that could come. */
export class NoTokenLeftError extends HithertoError {
  readonly code = "NO_TOKEN_LEFT";

  constructor(
    readonly position: number,
    readonly stage: string,
  ) {
    super(`no token can come at position ${position}: ${stage} removed the last one`);
  }
}

export class Pipeline {
  /** Made when they are needed: a greedy session without processors has none. */
  #candidates: Candidates | undefined;
  /** Whether there is a processor of somebody's own, which may take its time. */
  readonly mayWait: boolean;
  readonly #own: Float32Array | undefined;

  constructor(
    readonly stages: readonly Stage[],
    readonly vocabSize: number,
  ) {
    this.mayWait = stages.some((stage) => stage.kind === "own");
    if (this.mayWait) this.#own = new Float32Array(vocabSize);
  }

  get candidates(): Candidates {
    this.#candidates ??= new Candidates(this.vocabSize);
    return this.#candidates;
  }

  /**
   * Runs every stage at once.
   * @param logits - [vocabSize], not changed, to stay as they are until the candidates were used
   * @throws NoTokenLeftError
   */
  run(logits: Float32Array, place: Place, reports?: StageReport[]): Candidates {
    const candidates = this.candidates.reset(logits);
    for (const stage of this.stages) {
      const before = reports && snapshot(candidates);
      assert(stage.kind === "built-in", "a processor of one's own is waited for");
      stage.apply(candidates, place);
      this.#check(stage, place, before, reports);
    }
    return candidates;
  }

  /** The same, where processors of one's own are among the stages. */
  async runWaiting(logits: Float32Array, place: Place, reports?: StageReport[]): Promise<Candidates> {
    let candidates = this.candidates.reset(logits);
    for (const stage of this.stages) {
      const before = reports && snapshot(candidates);
      if (stage.kind === "built-in") stage.apply(candidates, place);
      else {
        const scores = new Float32Array(this.vocabSize);
        candidates.scatter(scores);
        const changed = (await stage.process(scores, place)) ?? scores;
        this.#own!.set(changed);
        candidates = this.candidates.reset(this.#own!);
      }
      this.#check(stage, place, before, reports);
    }
    return candidates;
  }

  #check(stage: Stage, place: Place, before: Snapshot | undefined, reports: StageReport[] | undefined): void {
    const { candidates } = this;
    if (before !== undefined) reports!.push(reportOf(stage.name, before, candidates));
    if (shapeStages.has(stage.name)) return;
    if (candidates.largest() === Number.NEGATIVE_INFINITY) throw new NoTokenLeftError(place.ids.length, stage.name);
  }
}

/** Probabilities by id. */
type Snapshot = ReadonlyMap<number, number>;

function snapshot(candidates: Candidates): Snapshot {
  const probabilities = candidates.probabilities();
  const { ids } = candidates;
  const all = new Map<number, number>();
  for (let i = 0; i < candidates.count; i++) if (probabilities[i]! > 0) all.set(ids[i]!, probabilities[i]!);
  return all;
}

function reportOf(stage: string, before: Snapshot, candidates: Candidates): StageReport {
  const { ids, scores, count } = candidates;
  const left = new Set<number>();
  for (let i = 0; i < count; i++) if (scores[i]! > Number.NEGATIVE_INFINITY) left.add(ids[i]!);
  let [removed, mass] = [0, 0];
  for (const [id, probability] of before) {
    if (left.has(id)) continue;
    removed++;
    mass += probability;
  }
  return { stage, removed, mass, left: left.size };
}
