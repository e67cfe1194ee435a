/** What a model finds likeliest after every row of a batch, all rows at once. */
import type { Resource } from "../backends/backend.js";
import { argmax } from "../graph/operations/argmax.js";
import type { Tensor } from "../graph/tensor.js";
import { type TrainingCapacity, trainingGraph } from "../models/training-graph.js";
import { BatchProgram } from "./batch-program.js";
import type { Batch } from "./data/batch.js";
import type { TrainableModel } from "./trainable-model.js";

export interface Prediction {
  /** Sum of −ln p of the targets. */
  readonly loss: number;
  /** [rows]: the likeliest id after each row. Valid until the next prediction. */
  readonly likeliest: Float32Array;
}

export class Predictor {
  readonly #program: BatchProgram;
  readonly #likeliest: Tensor;

  constructor(
    { backend, config }: TrainableModel,
    capacity: TrainingCapacity,
    resources: ReadonlyMap<string, Resource>,
    products: "f32" | "bf16",
  ) {
    const graph = trainingGraph(config, capacity, { evaluation: true });
    this.#likeliest = argmax(graph.logits);
    this.#program = new BatchProgram(backend, config, graph, { resources, outputs: [this.#likeliest], products });
  }

  get arenaBytes(): number {
    return this.#program.program.arenaBytes;
  }

  async predict(batch: Batch): Promise<Prediction> {
    const loss = await this.#program.run(batch, 1, [0, 0]);
    return { loss, likeliest: this.#program.program.floats(this.#likeliest).subarray(0, batch.ids.length) };
  }

  dispose(): void {
    this.#program.dispose();
  }
}
