/** Everything that a run holds in a backend's memory: programs, gradients, and what the optimizer keeps. */
import type { Resource, StateResource } from "../backends/backend.js";
import { OutOfRangeError } from "../core/errors.js";
import { sizeOf } from "../models/published-tensors.js";
import { trainingGraph } from "../models/training-graph.js";
import { BatchProgram, type RunSeed } from "./batch-program.js";
import type { Batch } from "./data/batch.js";
import type { GradientNorms } from "./divergence.js";
import { Optimizer } from "./optimizers/optimizer.js";
import type { StepSetting } from "./optimizers/rule.js";
import type { ResolvedSettings, TrainingMemory } from "./options.js";
import type { TrainableModel } from "./trainable-model.js";

export class Learner {
  readonly #gradients = new Map<string, StateResource>();
  readonly #tables: StateResource[] = [];
  readonly #optimizer: Optimizer;
  readonly #training: BatchProgram;
  readonly #evaluation: BatchProgram;

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
    const shared = this.#sharedResources(contextLength);
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
    const programs = [this.#training.program, this.#evaluation.program, this.#optimizer];
    const activations = programs.reduce((sum, { arenaBytes }) => sum + arenaBytes, 0);
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
    this.#optimizer.dispose();
    for (const state of [...this.#gradients.values(), ...this.#tables]) state.dispose();
  }

  /** Weights, and tables that are computed once. */
  #sharedResources(contextLength: number): Map<string, Resource> {
    const resources = new Map<string, Resource>();
    for (const { name, state } of this.model.all) resources.set(name, state);
    for (const { name, shape } of this.model.computed) {
      const state = this.model.backend.allocateState(contextLength * sizeOf((shape as number[]).slice(1)));
      state.data.set(this.model.recipes.get(name)!.computed!(0, contextLength));
      this.#tables.push(state);
      resources.set(name, state);
    }
    return resources;
  }
}

/** Rows of tables of positions: learned ones are trained whole. @throws OutOfRangeError */
function contextLengthFor({ config }: TrainableModel, wanted: number): number {
  if (wanted > config.contextLength) {
    throw new OutOfRangeError("batch.contextLength", `at most the model's ${config.contextLength}`, wanted);
  }
  const stacks = config.kind === "decoder-only" ? [config.decoder] : [config.encoder, config.decoder];
  return stacks.some(({ position }) => position.kind === "learned") ? config.contextLength : wanted;
}
