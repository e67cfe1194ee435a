/** Models that are to be trained, and that were, as folders and files of the system. */
import { mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Backend, StateResource } from "../backends/backend.js";
import { createFolder, writeHuggingFaceFolder } from "../formats/index.node.js";
import { writeAdapter } from "../models/adapters/peft.js";
import { openCheckpoint } from "../models/open.node.js";
import { TrainableModel } from "./trainable-model.js";

/**
 * Opens any checkpoint that `loadModel` does, with float32 copies of its weights.
 * @throws as `loadModel` does
 */
export async function openTrainableModel(
  path: string,
  backend: Backend,
  signal?: AbortSignal,
): Promise<TrainableModel> {
  const checkpoint = await openCheckpoint(path);
  try {
    return await TrainableModel.open(checkpoint, backend, signal);
  } finally {
    await checkpoint.close();
  }
}

/**
 * Writes a folder that `loadModel` and PyTorch `transformers` open. Its files have their names only once all of them
 * are complete; other files that are in the folder stay.
 * @param states - other weights than the current ones, such as their average, by parameter name
 */
export async function saveModel(
  model: TrainableModel,
  folder: string,
  states?: ReadonlyMap<string, StateResource>,
): Promise<void> {
  await putInto(folder, (partial) => writeHuggingFaceFolder(partial, model.contents(states)));
}

/** Writes the model's adapter into a folder that Hugging Face PEFT opens. @throws InvalidValueError without an adapter */
export async function saveAdapter(
  model: TrainableModel,
  folder: string,
  states?: ReadonlyMap<string, StateResource>,
): Promise<void> {
  await putInto(folder, async (partial) => writeAdapter(await createFolder(partial), model.adapterContents(states)));
}

/** @param write - writes files into the folder that it is given; returns their names */
async function putInto(folder: string, write: (partial: string) => Promise<string[]>): Promise<void> {
  const partial = `${resolve(folder)}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    const files = await write(partial);
    await mkdir(folder, { recursive: true });
    for (const file of files) await rename(join(partial, file), join(folder, file));
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
