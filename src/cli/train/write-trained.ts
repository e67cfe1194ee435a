/** The trained model as a folder: the last weights or the best, their average where there is one. */
import { rename, rm } from "node:fs/promises";
import type { StateResource } from "../../backends/backend.js";
import { assert } from "../../core/errors.js";
import { type Folder, readSafetensors, readTensorFloats, writeHuggingFace } from "../../formats/index.js";
import { createFolder } from "../../formats/index.node.js";
import { readProgress, restoreWeights, statesFile } from "../../training/checkpoint.js";
import { type CheckpointFolder, saveAdapter, type TrainableModel } from "../../training/index.node.js";
import type { SettledConfig } from "./load-config.js";
import { adapterIn, modelIn } from "./run-folder.js";

/**
 * Writes the model of a run that is over. It gets its name once it is complete.
 * @returns its path
 */
export async function writeTrained(
  model: TrainableModel,
  store: CheckpointFolder,
  { run, checkpoints }: SettledConfig,
): Promise<string> {
  const last = (await store.steps()).at(-1);
  assert(last !== undefined, "a run that is over has a checkpoint");
  const { progress } = await readProgress(await store.open(last));
  const step = checkpoints.model === "best" ? (progress.best?.step ?? last) : last;
  const folder = await store.open(step);
  await restoreWeights(folder, model);
  const path = modelIn(run.folder);
  const partial = `${path}.partial`;
  await rm(partial, { recursive: true, force: true });
  const averages = await averagesIn(folder);
  await writeHuggingFace(await createFolder(partial), model.contents(averages));
  if (model.adapter !== undefined) await saveAdapter(model, adapterIn(run.folder), averages);
  await rm(path, { recursive: true, force: true });
  await rename(partial, path);
  return path;
}

const prefix = "average.";

/** Averages of the weights, by parameter name. */
async function averagesIn(folder: Folder): Promise<ReadonlyMap<string, StateResource> | undefined> {
  await using file = await readSafetensors(await folder.open(statesFile));
  const averages = new Map<string, StateResource>();
  for (const [name, tensor] of file.tensors) {
    if (!name.startsWith(prefix)) continue;
    const data = Float32Array.from(await readTensorFloats(tensor));
    averages.set(name.slice(prefix.length), { data, bytes: data.byteLength, dispose: () => {} });
  }
  return averages.size > 0 ? averages : undefined;
}
