/** Everything that a run holds in a backend's memory: programs, gradients, and what the optimizer keeps. */
import type { StateResource } from "../backends/backend.js";
import { sizeOf } from "../models/published-tensors.js";
import { trainingGraph } from "../models/training-graph.js";
import { BatchProgram, type RunSeed } from "./batch-program.js";
import type { Batch } from "./data/batch.js";
import type { GradientNorms } from "./divergence.js";
import { contextLengthFor, ModelResources } from "./model-resources.js";
import { Optimizer } from "./optimizers/optimizer.js";
import type { StepSetting } from "./optimizers/rule.js";
import type { ResolvedSettings, TrainingMemory } from "./options.js";
import { Predictor } from "./predictor.js";
import { mixed, replacements, trueShare } from "./scheduled-sampling.js";
import type { TrainableModel } from "./trainable-model.js";

export class Learner {
  readonly #gradients = new Map<string, StateResource>();
  readonly #resources: ModelResources;
  readonly #optimizer: Optimizer;
  readonly #training: BatchProgram;
  readonly #evaluation: BatchProgram;
  readonly #predictor: Predictor | undefined;

  constructor(
    readonly model: TrainableModel,
    readonly settings: ResolvedSettings,
  ) {
    const { backend, config, learned } = model;
    const { batch, optimizer, regularisation, compute } = settings;
    const products = compute.precision;
    for (const { name, shape } of learned) this.#gradients.set(name, backend.allocateState(sizeOf(shape)));
    const { weightAverage, dropout, labelSmoothing, zLoss } = regularisation;
    this.#optimizer = new Optimizer(backend, learned, this.#gradients, { optimizer, weightAverage, products });
    const tokens = batch.microBatchTokens ?? batch.tokens;
    const contextLength = contextLengthFor(model, batch.contextLength);
    const capacity = { tokens, sourceTokens: batch.sourceTokens ?? tokens, contextLength };
    const isLearned = (name: string) => this.#gradients.has(name);
    this.#resources = new ModelResources(model, contextLength);
    const { all: shared } = this.#resources;
    const training = trainingGraph(config, capacity, {
      dropout,
      labelSmoothing,
      zLoss,
      recompute: compute.recompute,
      trainable: isLearned,
    });
    const resources = new Map(shared);
    for (const [name, state] of this.#gradients) resources.set(`gradients.${name}`, state);
    const outputs = training.accumulations;
    this.#training = new BatchProgram(backend, config, training, { resources, outputs, products });
    const evaluation = trainingGraph(config, capacity, { evaluation: true });
    const averaged = new Map([...shared, ...(this.averages ?? [])]);
    this.#evaluation = new BatchProgram(backend, config, evaluation, { resources: averaged, outputs: [], products });
    const isPredicting = regularisation.scheduledSampling !== undefined;
    this.#predictor = isPredicting ? new Predictor(model, capacity, shared, products) : undefined;
  }

  /** The moving averages of the weights, by parameter name, where there are any. */
  get averages(): ReadonlyMap<string, StateResource> | undefined {
    return this.#optimizer.averages;
  }

  /** All that a checkpoint holds beside the weights. Gradients are zero between steps. */
  get states(): ReadonlyMap<string, StateResource> {
    const averages = [...(this.averages ?? [])].map(([name, state]) => [`average.${name}`, state] as const);
    return new Map([...this.#optimizer.states, ...averages]);
  }

  get memory(): TrainingMemory {
    const weights = this.model.all.reduce((sum, { state }) => sum + state.bytes, 0);
    const gradients = [...this.#gradients.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    const { stateBytes: optimizer, averageBytes: average } = this.#optimizer;
    const programs = [this.#training.program, this.#evaluation.program, this.#optimizer, this.#predictor];
    const activations = programs.reduce((sum, program) => sum + (program?.arenaBytes ?? 0), 0);
    const total = weights + gradients + optimizer + average + activations;
    return { weights, gradients, optimizer, average, activations, total };
  }

  /** Makes the averages the weights as they are now: at the start of a run. */
  startAverages(): void {
    this.#optimizer.startAverages(this.model.learned);
  }

  /** Adds a batch's gradients to those of the step. @returns the sum of its losses, as they are trained on */
  learn(batch: Batch, weight: number, seed: RunSeed): Promise<number> {
    return this.#training.run(batch, weight, seed);
  }

  /** The batch with a share of its tokens as the model would have written them: `scheduledSampling`. */
  async withOwnTokens(batch: Batch, step: number, part: number): Promise<Batch> {
    const { scheduledSampling } = this.settings.regularisation;
    const share = scheduledSampling === undefined ? 1 : trueShare(scheduledSampling, step);
    if (this.#predictor === undefined || share >= 1) return batch;
    const { likeliest } = await this.#predictor.predict(batch);
    return mixed(batch, likeliest, replacements(share, this.settings.seed, step, part));
  }

  /** @returns the sum of a batch's losses: −ln p alone, without dropout, of the averaged weights where there are any */
  measure(batch: Batch): Promise<number> {
    return this.#evaluation.run(batch, 1, [0, 0]);
  }

  norms(): Promise<GradientNorms> {
    return this.#optimizer.norms();
  }

  update(setting: StepSetting): Promise<void> {
    return this.#optimizer.update(setting);
  }

  dispose(): void {
    this.#training.dispose();
    this.#evaluation.dispose();
    this.#predictor?.dispose();
    this.#optimizer.dispose();
    this.#resources.dispose();
    for (const state of this.#gradients.values()) state.dispose();
  }
}
