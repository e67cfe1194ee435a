/** A model's weights as what training graphs name, with the tables that follow from its configuration. */
import type { Resource, StateResource } from "../backends/backend.js";
import { OutOfRangeError } from "../core/errors.js";
import { sizeOf } from "../models/published-tensors.js";
import type { TrainableModel } from "./trainable-model.js";

export class ModelResources {
  readonly all: ReadonlyMap<string, Resource>;
  readonly #tables: StateResource[] = [];

  /** @param contextLength - rows of tables of positions */
  constructor(model: TrainableModel, contextLength: number) {
    const all = new Map<string, Resource>(model.all.map(({ name, state }) => [name, state]));
    for (const { name, shape } of model.computed) {
      const state = model.backend.allocateState(contextLength * sizeOf((shape as number[]).slice(1)));
      state.data.set(model.recipes.get(name)!.computed!(0, contextLength));
      this.#tables.push(state);
      all.set(name, state);
    }
    this.all = all;
  }

  /** Frees the tables; the weights are the model's. */
  dispose(): void {
    for (const table of this.#tables) table.dispose();
  }
}

/** Rows of tables of positions: learned ones are used whole. @throws OutOfRangeError */
export function contextLengthFor({ config }: TrainableModel, wanted: number): number {
  if (wanted > config.contextLength) {
    throw new OutOfRangeError("batch.contextLength", `at most the model's ${config.contextLength}`, wanted);
  }
  const stacks = config.kind === "decoder-only" ? [config.decoder] : [config.encoder, config.decoder];
  return stacks.some(({ position }) => position.kind === "learned") ? config.contextLength : wanted;
}
