/** Pairs of small matrices that learn in the place of a model's weights (LoRA), in a backend's memory. */
import type { Backend, StateResource } from "../backends/backend.js";
import type { StoredTensor } from "../core/checkpoint.js";
import { CounterRandom } from "../core/random.js";
import { dequantize } from "../formats/index.js";
import { modulesOf } from "../models/adapters/merge.js";
import {
  chosenModules,
  type LinearModules,
  mergedMap,
  type PairParameters,
  pairsBeside,
  shortNames,
} from "../models/adapters/modules.js";
import type { AdapterConfig, AdapterFile } from "../models/adapters/peft.js";
import { publishedLayouts, publishedTensor, sizeOf } from "../models/published-tensors.js";
import { locate } from "../models/weights.js";
import type { LowRankConfig } from "../nn/low-rank.js";
import { lora } from "./config/parts.js";
import type { TrainableParameter } from "./trainable-model.js";

/** `rank`, `alpha`, `targets` and `dropout`, as in a configuration of `hitherto train`. */
export type LoraOptions = NonNullable<(typeof lora)["written"]>;

export class Adapter {
  private constructor(
    readonly settings: AdapterConfig,
    readonly pairs: PairParameters,
    readonly parameters: ReadonlyMap<string, TrainableParameter>,
  ) {}

  /** A new adapter, which changes nothing yet: what leads up is zero. @throws ConfigError, InvalidValueError */
  static create(modules: LinearModules, options: LoraOptions, backend: Backend, seed: number): Adapter {
    const { rank, alpha, targets, dropout } = lora.read(options, "lora");
    const chosen = chosenModules(modules, targets);
    const pairs = pairsBeside(chosen, { rank, alpha, dropout });
    const settings = { rank, alpha, dropout, scale: alpha / rank, targets: namesOf(chosen, modules) };
    const adapter = new Adapter(settings, pairs, allocate(pairs, backend));
    for (const [index, { name, shape, state }] of [...adapter.parameters.values()].entries()) {
      if (name.endsWith(".lora.up.weight")) continue;
      // As PEFT begins: uniform in ±1/√in.
      const random = new CounterRandom(seed, index + 1);
      const bound = 1 / Math.sqrt(shape[1]!);
      for (let i = 0; i < state.data.length; i++) state.data[i] = bound * (2 * random.uniform(i) - 1);
    }
    return adapter;
  }

  /** An adapter that was written before, by PEFT or here, to go on with. @throws InvalidValueError, ShapeError */
  static async open(modules: LinearModules, file: AdapterFile, backend: Backend): Promise<Adapter> {
    const pairs = pairsBeside(modulesOf(file, modules), file.config);
    const adapter = new Adapter(file.config, pairs, allocate(pairs, backend));
    await adapter.restore(file.tensors, file.path);
    return adapter;
  }

  get config(): LowRankConfig {
    return this.pairs.config;
  }

  /** Reads all pairs from tensors named as PEFT names them. @throws MissingTensorError, ShapeError */
  async restore(tensors: ReadonlyMap<string, StoredTensor>, path: string): Promise<void> {
    for (const { name, shape, state } of this.parameters.values()) {
      const rows = locate({ path, tensors }, name, shape, this.pairs.recipes.get(name)!, dequantize);
      const values = new Float32Array(sizeOf(shape));
      await rows.readRows(0, rows.shape[0], new Uint8Array(values.buffer));
      state.data.set(values);
    }
  }

  /** All pairs as tensors, named as PEFT names them. */
  tensors(states?: ReadonlyMap<string, StateResource>): StoredTensor[] {
    const held = [...this.parameters.values()].map(({ name, shape }) => ({
      name,
      shape,
      values: () => this.#values(name, states),
    }));
    return publishedLayouts(this.pairs.recipes, held, new Map()).map((layout) => publishedTensor(layout));
  }

  /** A weight with its pair's product added, or as it is where it has no pair. */
  merged(parameter: string, weight: Float32Array, states?: ReadonlyMap<string, StateResource>): Float32Array {
    const pair = this.config.pairs.get(parameter.replace(/\.weight$/, ""));
    if (pair === undefined) return weight;
    return mergedMap(weight, this.#values(pair.down, states), this.#values(pair.up, states), this.config);
  }

  dispose(): void {
    for (const { state } of this.parameters.values()) state.dispose();
  }

  #values(name: string, states?: ReadonlyMap<string, StateResource>): Float32Array {
    const { shape, state } = this.parameters.get(name)!;
    return (states?.get(name) ?? state).data.subarray(0, sizeOf(shape));
  }
}

function allocate({ shapes }: PairParameters, backend: Backend): Map<string, TrainableParameter> {
  return new Map(
    [...shapes].map(([name, shape]) => [name, { name, shape, state: backend.allocateState(sizeOf(shape)) }]),
  );
}

/** The shortest names that choose just these modules: ends of paths where all that end so are chosen, else paths. */
function namesOf(chosen: LinearModules, all: LinearModules): string[] {
  return shortNames(chosen).flatMap((name) => {
    const ending = [...all.keys()].filter((module) => module.endsWith(`.${name}`));
    return ending.every((module) => chosen.has(module)) ? [name] : ending.filter((module) => chosen.has(module));
  });
}
