/** A checkpoint's training graph, compiled, with sequences packed into its inputs. */
import type { Backend, Program, Resource, StateResource } from "../../src/backends/backend.js";
import { gradientName } from "../../src/graph/differentiate.js";
import type { Products } from "../../src/graph/operation.js";
import { capacityElements, capacityOf, type Tensor } from "../../src/graph/tensor.js";
import { openCheckpoint } from "../../src/models/open.node.js";
import { type TrainingGraph, type TrainingGraphOptions, trainingGraph } from "../../src/models/training-graph.js";
import { TrainableModel } from "../../src/training/trainable-model.js";

/** One sequence: what is predicted from it, and for an encoder-decoder what the encoder reads. */
export interface TrainingSequence {
  readonly ids: readonly number[];
  /** −1: does not count. Default: none counts. */
  readonly targets?: readonly number[];
  readonly source?: readonly number[];
}

export class CompiledTraining implements Disposable {
  private constructor(
    readonly model: TrainableModel,
    readonly graph: TrainingGraph,
    readonly program: Program,
    readonly gradients: ReadonlyMap<string, StateResource>,
    readonly resources: readonly Resource[],
  ) {}

  /** @param sequences - all that will be run together, which decides the capacities */
  static async open(
    folder: string,
    backend: Backend,
    sequences: readonly TrainingSequence[],
    options: TrainingGraphOptions = {},
    products: Products = "f32",
  ): Promise<CompiledTraining> {
    const checkpoint = await openCheckpoint(folder);
    const model = await TrainableModel.open(checkpoint, backend);
    await checkpoint.close();
    const capacity = {
      tokens: sequences.reduce((sum, { ids }) => sum + ids.length, 0),
      sourceTokens: sequences.reduce((sum, { source = [] }) => sum + source.length, 0),
      contextLength: Math.max(...sequences.flatMap(({ ids, source = [] }) => [ids.length, source.length])),
    };
    const graph = trainingGraph(model.config, capacity, options);
    const resources = new Map<string, Resource>();
    for (const { name, state } of model.parameters.values()) resources.set(name, state);
    const owned = [...tables(model, graph, backend)];
    for (const [name, table] of owned) resources.set(name, table);
    const gradients = new Map<string, StateResource>();
    for (const parameter of graph.trainable) {
      const state = backend.allocateState(capacityElements(parameter));
      gradients.set(parameter.name, state);
      resources.set(gradientName(parameter.name), state);
    }
    const outputs = [graph.losses, graph.logits, ...graph.accumulations];
    const program = backend.compile(graph.graph, { resources, outputs, products });
    const all = [...owned.map(([, table]) => table), ...gradients.values()];
    return new CompiledTraining(model, graph, program, gradients, all);
  }

  /** Packs sequences one after another and runs them. @param weight - of every row */
  run(sequences: readonly TrainingSequence[], weight = 1): void {
    const { graph, program } = this;
    const ids = sequences.flatMap((sequence) => sequence.ids);
    const causal = pack(sequences.map((sequence) => sequence.ids));
    program.integers(graph.ids).set(ids);
    program.integers(graph.positions).set(causal.positions);
    program.integers(graph.first).set(causal.first);
    program.integers(graph.end).set(causal.rows.map((row) => row + 1));
    program.integers(graph.targets).set(sequences.flatMap(({ targets, ids }) => targets ?? ids.map(() => -1)));
    if (graph.rowWeights !== undefined) program.floats(graph.rowWeights).fill(weight);
    if (graph.seed !== undefined) program.integers(graph.seed).set([11, -7]);
    program.run({ tokens: ids.length, sourceTokens: this.#packSource(sequences) });
  }

  #packSource(sequences: readonly TrainingSequence[]): number {
    const { source, cross } = this.graph;
    if (source === undefined || cross === undefined) return 0;
    const sources = sequences.map((sequence) => sequence.source!);
    const both = pack(sources);
    this.program.integers(source.ids).set(sources.flat());
    for (const name of ["positions", "first", "end"] as const) this.program.integers(source[name]).set(both[name]);
    const starts = sources.map((_, i) => sources.slice(0, i).flat().length);
    const perTarget = (of: (index: number) => number) => sequences.flatMap(({ ids }, i) => ids.map(() => of(i)));
    this.program.integers(cross.first).set(perTarget((i) => starts[i]!));
    this.program.integers(cross.end).set(perTarget((i) => starts[i]! + sources[i]!.length));
    return sources.flat().length;
  }

  /** [tokens, width] of an output. */
  floats(output: Tensor): Float32Array {
    return this.program.floats(output);
  }

  [Symbol.dispose](): void {
    this.program.dispose();
    for (const resource of this.resources) resource.dispose();
    this.model.dispose();
  }
}

/** Tables that are computed from the configuration. */
function* tables(model: TrainableModel, graph: TrainingGraph, backend: Backend): Generator<[string, Resource]> {
  for (const { name, shape } of graph.parameters) {
    const recipe = model.recipes.get(name);
    if (recipe?.computed !== undefined) yield [name, backend.loadPlain(recipe.computed(0, capacityOf(shape[0]!)))];
  }
}

/** Rows of sequences one after another: where each starts and ends, and the position of each row in its own. */
function pack(sequences: readonly (readonly number[])[]) {
  const [positions, first, end]: [number[], number[], number[]] = [[], [], []];
  for (const { length } of sequences) {
    const start = positions.length;
    for (let i = 0; i < length; i++) {
      positions.push(i);
      first.push(start);
      end.push(start + length);
    }
  }
  return { positions, first, end, rows: positions.map((_, row) => row) };
}
