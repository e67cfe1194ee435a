/** A training graph, compiled, and fed with batches. */
import type { Backend, Program, Resource } from "../backends/backend.js";
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { planGraph } from "../graph/plan.js";
import type { LiveDimension, Tensor } from "../graph/tensor.js";
import type { ModelConfig } from "../models/config.js";
import type { TrainingGraph } from "../models/training-graph.js";
import type { Batch, SequenceRows } from "./data/batch.js";

/** Of one run, for everything in it that is random. */
export type RunSeed = readonly [number, number];

export interface BatchProgramOptions {
  readonly resources: ReadonlyMap<string, Resource>;
  /** What a run computes, beside the losses. */
  readonly outputs: readonly Tensor[];
  readonly products: "f32" | "bf16";
}

export class BatchProgram {
  readonly program: Program;
  readonly #used: ReadonlySet<Tensor>;

  constructor(
    backend: Backend,
    readonly config: ModelConfig,
    readonly graph: TrainingGraph,
    { resources, outputs, products }: BatchProgramOptions,
  ) {
    const all = [...new Set([graph.losses, ...outputs])];
    this.program = backend.compile(graph.graph, { resources, outputs: all, products });
    this.#used = new Set(planGraph(all).inputs);
  }

  /**
   * @param weight - what each row's loss counts in the gradients
   * @returns the sum of all losses, unweighted, in nats
   * @throws OutOfRangeError for an id outside the vocabulary, before anything is computed
   */
  async run(batch: Batch, weight: number, seed: RunSeed): Promise<number> {
    const { graph, program } = this;
    const live = this.#fill(batch);
    if (graph.rowWeights !== undefined) program.floats(graph.rowWeights).fill(weight, 0, batch.ids.length);
    if (graph.seed !== undefined) program.integers(graph.seed).set(seed);
    await program.runAsync(live);
    let sum = 0;
    for (const loss of program.floats(graph.losses).subarray(0, batch.ids.length)) sum += loss;
    return sum;
  }

  dispose(): void {
    this.program.dispose();
  }

  #fill(batch: Batch): Record<string, number> {
    const { graph, config } = this;
    checkIds("target", batch.targets, -1, config.vocabSize);
    this.#set(graph.targets, batch.targets);
    this.#fillRows(graph, batch, config.vocabSize);
    const live = { [liveName(graph.ids)]: batch.ids.length };
    if (config.kind === "decoder-only" || graph.source === undefined || graph.cross === undefined) return live;
    const { source, cross } = batch;
    if (source === undefined || cross === undefined) {
      throw new InvalidValueError("data", "pairs for an encoder-decoder model", "a batch without a source");
    }
    this.#fillRows(graph.source, source, config.sourceVocabSize);
    this.#set(graph.cross.first, cross.first);
    this.#set(graph.cross.end, cross.end);
    return { ...live, [liveName(graph.source.ids)]: source.ids.length };
  }

  #fillRows(inputs: Readonly<Record<keyof SequenceRows, Tensor>>, rows: SequenceRows, vocabSize: number): void {
    checkIds("token id", rows.ids, 0, vocabSize);
    for (const name of ["ids", "positions", "first", "end"] as const) this.#set(inputs[name], rows[name]);
  }

  #set(input: Tensor, values: Int32Array): void {
    if (this.#used.has(input)) this.program.integers(input).set(values);
  }
}

function liveName(tensor: Tensor): string {
  return (tensor.shape[0] as LiveDimension).name;
}

function checkIds(what: string, ids: Int32Array, least: number, vocabSize: number): void {
  for (const id of ids) {
    if (id < least || id >= vocabSize) {
      throw new OutOfRangeError(
        `${what} in the data`,
        `from ${least} to ${vocabSize - 1}, as the model's vocabulary`,
        id,
      );
    }
  }
}
