/**
 * What a run writes to go on from exactly where it was: a Hugging Face folder of the weights, which every program
 * opens, and beside it `training.safetensors` (what the optimizer keeps, the average of the weights) and
 * `training.json` (step, place in the data, best loss).
 */
import type { StateResource } from "../backends/backend.js";
import { FormatError, ShapeError } from "../core/errors.js";
import {
  type Folder,
  memoryTensor,
  readHuggingFace,
  readSafetensors,
  readTensorFloats,
  readWholeText,
  writeHuggingFace,
  writeSafetensors,
} from "../formats/index.js";
import { openAdapter, writeAdapter } from "../models/adapters/peft.js";
import { ConfigReader } from "../models/config-reader.js";
import type { CheckpointStore } from "./checkpoint-store.js";
import type { DataPosition } from "./data/batch.js";
import type { ResolvedSettings } from "./options.js";
import type { TrainableModel } from "./trainable-model.js";

const progressFile = "training.json";
/** What a run keeps beside the weights. */
export const statesFile = "training.safetensors";
const formatVersion = 1;

/** Where a run is. A JSON value. */
export interface TrainingProgress {
  /** Updates done. */
  readonly step: number;
  /** Targets learned from. */
  readonly tokens: number;
  /** From where in the data the next batch is made. */
  readonly position: DataPosition | undefined;
  /** The step with the smallest loss on held-out data. */
  readonly best: { readonly step: number; readonly loss: number } | undefined;
  /** What gradient norms are usual. */
  readonly norms: { readonly mean: number; readonly count: number };
}

interface ProgressFile extends TrainingProgress {
  readonly format: number;
  readonly settings: ResolvedSettings;
}

/** The states of a run beside the weights, by name. */
export type RunStates = ReadonlyMap<string, StateResource>;

export async function writeCheckpoint(
  store: CheckpointStore,
  model: TrainableModel,
  states: RunStates,
  progress: TrainingProgress,
  settings: ResolvedSettings,
): Promise<string> {
  const { step } = progress;
  await store.write(step, async (create) => {
    // Beside weights that stay an adapter is all there is to keep.
    if (model.adapter === undefined) await writeHuggingFace(create, model.contents());
    else await writeAdapter(create, model.adapterContents());
    await writeSafetensors(
      await create(statesFile),
      [...states, ...inexactStates(model)].map(([name, { data }]) => memoryTensor(name, [data.length], "f32", data)),
    );
    const file: ProgressFile = { format: formatVersion, ...progress, settings };
    const sink = await create(progressFile);
    await sink.write(new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`));
    await sink.close();
  });
  return store.placeOf(step);
}

/** Weights that the folder holds shifted, and hence rounded. */
function inexactStates(model: TrainableModel): [string, StateResource][] {
  if (model.adapter !== undefined) return [];
  return [...model.parameters.values()]
    .filter(({ name }) => (model.recipes.get(name)?.plus ?? 0) !== 0)
    .map(({ name, state }) => [`exact.${name}`, state]);
}

/** Reads where a run was. @throws FormatError */
export async function readProgress(
  folder: Folder,
): Promise<{ progress: TrainingProgress; settings: ResolvedSettings }> {
  const place = `${folder.name}/${progressFile}`;
  const file = JSON.parse(await readWholeText(folder, progressFile, 2 ** 20)) as ProgressFile;
  if (file.format !== formatVersion) {
    throw new FormatError(progressFile, "format", `is ${file.format}, and ${formatVersion} is what is known`, place);
  }
  const reader = new ConfigReader(file as unknown as Record<string, unknown>, place);
  const { step, tokens, position, best, norms, settings } = file;
  reader.require(Number.isInteger(step) && step >= 0, "step", "must be a whole number");
  return { progress: { step, tokens, position, best, norms }, settings };
}

/** Reads the weights of a checkpoint (its adapter, where the model has one) into a model of the same configuration. @throws ShapeError, MissingTensorError */
export async function restoreWeights(folder: Folder, model: TrainableModel): Promise<void> {
  if (model.adapter !== undefined) {
    await using adapter = await openAdapter(folder);
    // Awaited: the file must stay open until it is read.
    return await model.adapter.restore(adapter.tensors, folder.name);
  }
  await using contents = await readHuggingFace(folder);
  await model.restore(contents.tensors, folder.name);
  await using file = await readSafetensors(await folder.open(statesFile));
  for (const [name, { data }] of inexactStates(model)) {
    const tensor = file.tensors.get(name);
    if (tensor !== undefined) data.set(await readTensorFloats(tensor));
  }
}

/** Reads what a run keeps beside the weights. @throws ShapeError when the checkpoint is of another model or optimizer */
export async function restoreStates(folder: Folder, states: RunStates): Promise<void> {
  await using file = await readSafetensors(await folder.open(statesFile));
  for (const [name, { data }] of states) {
    const tensor = file.tensors.get(name);
    if (tensor?.shape[0] !== data.length) {
      throw new ShapeError(`${folder.name}: ${name}`, `[${data.length}]`, `[${tensor?.shape ?? "missing"}]`);
    }
    data.set(await readTensorFloats(tensor));
  }
}

/** Removes checkpoints that are neither among the newest nor the best. */
export async function pruneCheckpoints(store: CheckpointStore, keep: number, best: number | undefined): Promise<void> {
  const steps = await store.steps();
  for (const step of steps.slice(0, Math.max(0, steps.length - keep))) if (step !== best) await store.remove(step);
}
