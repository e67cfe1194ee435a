/** Models for tests of sessions and generation: small, random, and there in a bare clone. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Model } from "../../src/generation/model.js";
import { modelFrom } from "../../src/load-model.js";
import { createBackend, type LoadModelOptions, loadModel } from "../../src/load-model.node.js";
import { randomLlama, smallShape } from "./random-llama.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** A Llama of 500 tokens' vocabulary and random weights, without a tokenizer. */
export async function randomModel(options: LoadModelOptions = {}, endIds: readonly number[] = []): Promise<Model> {
  const backend = await createBackend(options);
  return modelFrom({ ...randomLlama(smallShape), endIds }, backend, options, () => backend.dispose());
}

/** Where the next model lies. */
export const storyCheckpoint = join(root, "test", "fixtures", "stories-tiny");

/** A trained model with a tokenizer, that tells stories after a fashion: what the fixtures of its parity were made from. */
export function storyModel(options: LoadModelOptions = {}): Promise<Model> {
  return loadModel(storyCheckpoint, options);
}

/** A tiny T5 with random weights. */
export function encoderDecoderModel(options: LoadModelOptions = {}): Promise<Model> {
  return loadModel(join(root, "test", "parity", "fixtures", "t5-relu-tied"), options);
}
