/** A checkpoint whose weights have an adapter's pairs added, as they are read. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { InvalidValueError, MissingTensorError, UnsupportedError } from "../../core/errors.js";
import { convertTensor, dequantize } from "../../formats/index.js";
import { interpret, type OpenedCheckpoint } from "../checkpoint.js";
import type { ModelConfig } from "../config.js";
import { Network } from "../network.js";
import { type HeldParameter, publishedLayouts, publishedTensor, sizeOf } from "../published-tensors.js";
import { type LocatedRows, locate, type Recipes } from "../weights.js";
import {
  type LinearMap,
  type LinearModules,
  linearModules,
  mergedMap,
  type PairParameters,
  pairsBeside,
} from "./modules.js";
import type { AdapterFile } from "./peft.js";

/** @throws InvalidValueError when the model has no such modules */
export function modulesOf(adapter: AdapterFile, modules: LinearModules): LinearModules {
  return new Map(
    adapter.modules.map((name) => {
      const maps = modules.get(name);
      if (maps !== undefined) return [name, maps];
      throw new InvalidValueError(`${adapter.path}: module`, "one of the model's", name);
    }),
  );
}

/** What an adapter's names are matched with: the checkpoint that a model is loaded from. */
export interface AdapterBase {
  readonly format: string;
  readonly recipes: Recipes;
}

/**
 * The linear maps of a model that an adapter has pairs beside.
 * @throws UnsupportedError for checkpoints in other formats than Hugging Face's; InvalidValueError for an adapter of
 *   another model
 */
export function adaptedModules(
  adapter: AdapterFile,
  config: ModelConfig,
  { format, recipes }: AdapterBase,
): LinearModules {
  if (format !== "hugging-face") {
    throw new UnsupportedError("an adapter beside a checkpoint of the format", format, ["hugging-face"]);
  }
  const all = Network.parameters(config, 1).map(({ name, shape }) => ({ name, shape: shape as number[] }));
  return modulesOf(adapter, linearModules(recipes, all));
}

/**
 * The checkpoint with an adapter merged into it: maps that have a pair become float32, the others stay as they are.
 * Closing the adapter is left to the caller, once the weights are loaded.
 *
 * @throws UnsupportedError for checkpoints in other formats than Hugging Face's; InvalidValueError for an adapter of
 *   another model
 */
export function withAdapter(checkpoint: OpenedCheckpoint, adapter: AdapterFile): OpenedCheckpoint {
  const { config, recipes } = interpret(checkpoint);
  const chosen = adaptedModules(adapter, config, { format: checkpoint.format, recipes });
  const pairs = pairsBeside(chosen, adapter.config);
  const tensors = new Map(checkpoint.tensors);
  for (const maps of chosen.values()) {
    const stored = storedOf(checkpoint, maps[0]!);
    const make = async () => {
      const held = await Promise.all(maps.map((map) => mergedParameter(checkpoint, stored, adapter, pairs, map)));
      return publishedTensor(publishedLayouts(recipes, held, new Map([[stored.name, stored]]))[0]!);
    };
    for (const { place } of maps) locatePair(adapter, pairs, place);
    tensors.set(stored.name, madeWhenRead(stored, make));
  }
  return { ...checkpoint, tensors };
}

function storedOf({ tensors, path }: OpenedCheckpoint, { recipe: { tensor } }: LinearMap): StoredTensor {
  const names = typeof tensor === "string" ? [tensor] : tensor;
  const found = names.map((name) => tensors.get(name)).find((each) => each !== undefined);
  if (found === undefined) throw new MissingTensorError(names[0]!, path);
  return found;
}

/** Both parts of a pair; nothing is read. @throws MissingTensorError, ShapeError */
function locatePair(adapter: AdapterFile, { config, shapes, recipes }: PairParameters, place: string): LocatedRows[] {
  const { down, up } = config.pairs.get(place)!;
  return [down, up].map((name) => locate(adapter, name, shapes.get(name)!, recipes.get(name)!, dequantize));
}

async function mergedParameter(
  { path }: OpenedCheckpoint,
  stored: StoredTensor,
  adapter: AdapterFile,
  pairs: PairParameters,
  { place, shape, recipe }: LinearMap,
): Promise<HeldParameter> {
  const tensors = new Map([[stored.name, convertTensor(stored, "f32")]]);
  const rows = [locate({ path, tensors }, place, shape, recipe, dequantize), ...locatePair(adapter, pairs, place)];
  const [weight, down, up] = await Promise.all(rows.map(allFloats));
  const values = mergedMap(weight!, down!, up!, pairs.config);
  return { name: `${place}.weight`, shape, values: () => values };
}

/** All rows of what is stored as float32. */
async function allFloats({ shape: [rows, columns], readRows }: LocatedRows): Promise<Float32Array> {
  const values = new Float32Array(rows * columns);
  await readRows(0, rows, new Uint8Array(values.buffer));
  return values;
}

/** In the place of a stored tensor one in float32 that is made when it is first read. */
function madeWhenRead({ name, shape }: StoredTensor, make: () => Promise<StoredTensor>): StoredTensor {
  let made: Promise<StoredTensor> | undefined;
  const read = async (at: number, into: Uint8Array): Promise<void> => {
    made ??= make();
    await (await made).read(at, into);
  };
  return { name, shape, storage: "f32", byteLength: 4 * sizeOf(shape), read };
}
