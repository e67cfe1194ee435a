/** A model that generates, from weights that are being trained. */
import type { StateResource } from "../backends/backend.js";
import { dequantize, memoryTensor } from "../formats/index.js";
import { Model } from "../generation/model.js";
import { blocksFor, type Capacity } from "../models/decoder-graph.js";
import { Network } from "../models/network.js";
import { sizeOf } from "../models/published-tensors.js";
import type { Recipe } from "../models/weights.js";
import type { TrainableModel } from "./trainable-model.js";

export interface InferenceOptions {
  /** Longest sequence, in tokens. Default: the model's own. */
  readonly contextLength?: number;
  /** Sequences of that length that the cache has room for. Default 4. */
  readonly sequences?: number;
  /** Other weights than the current ones, such as their average, by parameter name. */
  readonly states?: ReadonlyMap<string, StateResource>;
}

/**
 * Copies the weights as they are now into a network that runs beside the training. Dispose it to free the copy; the
 * backend stays.
 */
export async function inferenceModel(trainable: TrainableModel, options: InferenceOptions = {}): Promise<Model> {
  const { config, backend, tokenizer, sourceTokenizer } = trainable;
  const { contextLength = config.contextLength, sequences = 4 } = options;
  const tensors = trainable.all.map(({ name, shape, state }) => {
    const { data } = options.states?.get(name) ?? state;
    return memoryTensor(name, shape, "f32", data.subarray(0, sizeOf(shape)));
  });
  const checkpoint = { path: "model in training", tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
  const recipes = new Map<string, Recipe>(tensors.map(({ name }) => [name, { tensor: name, partial: true }]));
  for (const { name } of trainable.computed) recipes.set(name, trainable.recipes.get(name)!);
  const network = await Network.load(backend, config, checkpoint, recipes, dequantize, {
    capacity: capacityFor(contextLength, sequences, config.kind === "encoder-decoder"),
  });
  return new Model({ network, tokenizer, sourceTokenizer, release: async () => {} });
}

function capacityFor(contextLength: number, sequences: number, hasSource: boolean): Capacity {
  const tokens = Math.min(256, contextLength);
  const blocks = sequences * blocksFor(contextLength);
  const outputs = Math.min(64, tokens);
  return { tokens, outputs, sequences: 64, contextLength, blocks, crossBlocks: hasSource ? blocks : 0 };
}
