/** `train`: the loop of a run, as a stream of its steps. */
import { Breather } from "../core/breathe.js";
import { InvalidValueError } from "../core/errors.js";
import type { RunSeed } from "./batch-program.js";
import { BatchSource } from "./batch-source.js";
import {
  pruneCheckpoints,
  readProgress,
  restoreStates,
  restoreWeights,
  type TrainingProgress,
  writeCheckpoint,
} from "./checkpoint.js";
import type { BatchShape, Dataset, PositionedBatch } from "./data/batch.js";
import { DivergenceError, DivergenceWatch, type GradientNorms } from "./divergence.js";
import { type HeldOutLoss, heldOutLoss } from "./held-out.js";
import { Learner } from "./learner.js";
import { type ResolvedSettings, type RunOptions, readOptions, type TrainingOptions } from "./options.js";
import { type Sample, sampleText } from "./sample.js";
import { rateFactor } from "./schedule.js";
import type { TrainableModel, TrainableParameter } from "./trainable-model.js";

/** One update of the weights. */
export interface TrainingStep {
  /** From 1 on. */
  readonly step: number;
  /** Mean over the step's targets, in nats, as it is trained on: with dropout, label smoothing and z-loss. */
  readonly loss: number;
  readonly learningRate: number;
  /** Euclidean norm of the whole gradient, before it was clipped. */
  readonly gradientNorm: number;
  /** Targets learned from since the start of the run. */
  readonly tokens: number;
  readonly tokensPerSecond: number;
  /** Until the last step, at the pace of this process so far. */
  readonly secondsLeft: number;
  /** Passes over the data begun before this step. */
  readonly epoch: number;
  /** On steps after which the held-out loss was measured. */
  readonly evaluation?: HeldOutLoss & { readonly isBest: boolean };
  /** On steps after which the model wrote something. */
  readonly sample?: Sample;
  /** Where the checkpoint lies, on steps after which one was written. */
  readonly checkpoint?: string;
  /** Set on the last step of a run that its signal stopped. */
  readonly isStopped?: boolean;
}

/**
 * Trains a model, yielding each step after it is done. With a `store` the run can be killed at any moment and goes on
 * bit for bit from its newest checkpoint when it is called again with the same settings.
 *
 * Aborting `signal` ends the run with a checkpoint, after the step in progress (between two: after the next, so that
 * there always is a last step that says so). Leaving the loop early frees
 * everything and saves nothing. The model's weights are always those after the last step.
 *
 * @example
 * for await (const { step, loss } of train(model, data, { batch: { contextLength: 64 }, schedule: { kind: "cosine", steps: 1000 } }))
 *   console.log(step, loss);
 *
 * @throws ConfigError, UnknownOptionError for settings; InvalidValueError for settings that a checkpoint cannot be
 *   resumed with; OutOfMemoryError before the first step; DivergenceError
 */
export async function* train(
  model: TrainableModel,
  data: Dataset,
  options: TrainingOptions,
): AsyncGenerator<TrainingStep, void> {
  const { settings, run: runOptions } = readOptions(options);
  checkKind(model, data);
  const run = await TrainingRun.start(model, data, settings, runOptions);
  try {
    const breather = new Breather();
    while (!run.isOver) {
      yield await run.step();
      await breather.breathe();
    }
  } finally {
    await run.dispose();
  }
}

function checkKind({ config }: TrainableModel, { kind }: Dataset): void {
  const wanted = config.kind === "decoder-only" ? "text" : "pairs";
  if (kind !== wanted) throw new InvalidValueError("data", `${wanted}, for a ${config.kind} model`, kind);
}

class TrainingRun {
  readonly #source: BatchSource;
  readonly #watch: DivergenceWatch;
  readonly #startedAt = performance.now();
  readonly #firstStep: number;
  #lastCheckpoint: string | undefined;
  #stopped = false;

  private constructor(
    readonly model: TrainableModel,
    readonly data: Dataset,
    readonly settings: ResolvedSettings,
    readonly options: RunOptions,
    readonly learner: Learner,
    private progress: TrainingProgress,
  ) {
    this.#source = new BatchSource(data, this.#shape, settings.seed, progress.position);
    this.#watch = new DivergenceWatch(progress.norms);
    this.#firstStep = progress.step;
    if (progress.step > 0) this.#lastCheckpoint = options.store?.placeOf(progress.step);
  }

  static async start(
    model: TrainableModel,
    data: Dataset,
    settings: ResolvedSettings,
    options: RunOptions,
  ): Promise<TrainingRun> {
    const learner = new Learner(model, settings);
    try {
      options.onMemory?.(learner.memory);
      const progress = await resume(model, learner, settings, options);
      if (progress === undefined) learner.startAverages();
      return new TrainingRun(model, data, settings, options, learner, progress ?? beginning);
    } catch (error) {
      learner.dispose();
      throw error;
    }
  }

  get isOver(): boolean {
    return this.#stopped || this.progress.step >= this.settings.schedule.steps;
  }

  /** One step and what is due after it. */
  async step(): Promise<TrainingStep> {
    const began = performance.now();
    const step = this.progress.step + 1;
    const batches = await this.#batches();
    const counted = batches.reduce((sum, { batch }) => sum + batch.counted, 0);
    const loss = await this.#gradients(step, batches, counted);
    const norms = await this.learner.norms();
    this.#check(step, loss, norms);
    const { schedule, optimizer } = this.settings;
    const factor = rateFactor(schedule, step);
    const gradientScale = clipScale(norms.total, optimizer.clipNorm);
    await this.learner.update({ step, rateFactor: factor, gradientScale });
    const { next: position } = batches.at(-1)!;
    const tokens = this.progress.tokens + counted;
    this.progress = { ...this.progress, step, tokens, position, norms: this.#watch.state };
    const tokensPerSecond = (1000 * counted) / (performance.now() - began);
    const after = await this.#afterStep(step);
    return {
      step,
      loss,
      learningRate: optimizer.learningRate * factor,
      gradientNorm: norms.total,
      tokens,
      tokensPerSecond,
      secondsLeft: this.#secondsLeft(step),
      epoch: batches[0]!.epoch,
      ...after,
    };
  }

  async dispose(): Promise<void> {
    await this.#source.close();
    this.learner.dispose();
  }

  get #shape(): BatchShape {
    const { tokens, microBatchTokens = tokens, sourceTokens, contextLength } = this.settings.batch;
    return { tokens: microBatchTokens, sourceTokens, contextLength };
  }

  /** The parts of one step: as many as make up its tokens. */
  async #batches(): Promise<PositionedBatch[]> {
    const { tokens, microBatchTokens = tokens } = this.settings.batch;
    const count = Math.max(1, Math.round(tokens / microBatchTokens));
    const batches: PositionedBatch[] = [];
    while (batches.length < count) batches.push(await this.#source.next());
    return batches;
  }

  async #gradients(step: number, batches: readonly PositionedBatch[], counted: number): Promise<number> {
    let sum = 0;
    for (const [part, { batch }] of batches.entries()) {
      const read = await this.learner.withOwnTokens(batch, step, part);
      sum += await this.learner.learn(read, 1 / counted, seedOf(this.settings.seed, step, part));
    }
    return sum / counted;
  }

  #check(step: number, loss: number, norms: GradientNorms): void {
    const wrong = this.#watch.check(loss, norms);
    if (wrong === undefined) return;
    // Gradients of one bad weight are bad everywhere before it.
    const bad = Number.isFinite(norms.total) ? undefined : this.model.learned.find(hasBadWeight);
    const [tensor, problem] = bad ? [bad.name, "a weight that is not finite"] : [wrong.tensor, wrong.problem];
    throw new DivergenceError(step, tensor, problem, this.#lastCheckpoint);
  }

  async #afterStep(step: number): Promise<Partial<TrainingStep>> {
    const { evaluation, samples, checkpoints, schedule } = this.settings;
    const isLast = step === schedule.steps;
    const isMeasured = this.data.heldOutTokens > 0 && (isLast || step % evaluation.everySteps === 0);
    const measured = isMeasured ? await this.#evaluate(step) : undefined;
    this.#stopped = this.options.signal?.aborted === true;
    const isSampled = samples.everySteps > 0 && step % samples.everySteps === 0 && !this.#stopped;
    const sample = isSampled ? await this.#sample(step / samples.everySteps - 1) : undefined;
    const isDue = isLast || this.#stopped || step % checkpoints.everySteps === 0 || measured?.isBest === true;
    return {
      ...(measured && { evaluation: measured }),
      ...(sample && { sample }),
      ...(isDue && this.options.store !== undefined && { checkpoint: await this.#save() }),
      ...(this.#stopped && { isStopped: true }),
    };
  }

  async #evaluate(step: number): Promise<HeldOutLoss & { isBest: boolean }> {
    const measured = await heldOutLoss(this.learner, this.data, this.#shape, this.settings.evaluation.tokens);
    const { best } = this.progress;
    const isBest = measured.loss < (best?.loss ?? Number.POSITIVE_INFINITY);
    if (isBest) this.progress = { ...this.progress, best: { step, loss: measured.loss } };
    return { ...measured, isBest };
  }

  #sample(turn: number): Promise<Sample | undefined> {
    return sampleText(this.model, this.data, this.settings, turn, this.learner.averages);
  }

  async #save(): Promise<string> {
    const { store } = this.options;
    const place = await writeCheckpoint(store!, this.model, this.learner.states, this.progress, this.settings);
    this.#lastCheckpoint = place;
    await pruneCheckpoints(store!, this.settings.checkpoints.keep, this.progress.best?.step);
    return place;
  }

  #secondsLeft(step: number): number {
    const perStep = (performance.now() - this.#startedAt) / 1000 / (step - this.#firstStep);
    return perStep * (this.settings.schedule.steps - step);
  }
}

const beginning: TrainingProgress = {
  step: 0,
  tokens: 0,
  position: undefined,
  best: undefined,
  norms: { mean: 0, count: 0 },
};

/** Restores the store's newest checkpoint. @returns where the run was; undefined where there is nothing to resume */
async function resume(
  model: TrainableModel,
  learner: Learner,
  settings: ResolvedSettings,
  options: RunOptions,
): Promise<TrainingProgress | undefined> {
  const newest = (await options.store?.steps())?.at(-1);
  if (newest === undefined) return undefined;
  if (options.resume === false) {
    throw new InvalidValueError("store", "empty for a run that does not resume", options.store!.placeOf(newest));
  }
  const folder = await options.store!.open(newest);
  const found = await readProgress(folder);
  checkResumable(found.settings, settings);
  await restoreWeights(folder, model);
  await restoreStates(folder, learner.states);
  return found.progress;
}

/** What must be as it was, since data positions and kept states mean nothing otherwise. */
function checkResumable(before: ResolvedSettings, now: ResolvedSettings): void {
  const essentials = ({ seed, batch, optimizer }: ResolvedSettings) => ({ seed, batch, optimizer: optimizer.kind });
  const [was, is] = [before, now].map((settings) => JSON.stringify(essentials(settings)));
  if (was !== is) throw new InvalidValueError("settings of a run that is resumed", was!, is);
}

function hasBadWeight({ state }: TrainableParameter): boolean {
  return state.data.some((weight) => !Number.isFinite(weight));
}

/** Different for every part of every step. */
function seedOf(seed: number, step: number, part: number): RunSeed {
  return [(seed ^ Math.imul(part, 0x9e3779b9)) | 0, step];
}

/** Makes a longer gradient as long as `clipNorm`; 0: leaves all as they are. */
function clipScale(norm: number, clipNorm: number): number {
  return clipNorm > 0 && norm > clipNorm ? clipNorm / norm : 1;
}
