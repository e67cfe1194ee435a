/** What lies at a path: a checkpoint, or a file of tensors that is none. Headers are read, weights are not. */
import { stat } from "node:fs/promises";
import type { StoredTensor } from "./core/checkpoint.js";
import { HithertoError } from "./core/errors.js";
import {
  type CheckpointDescription,
  describeCheckpoint,
  describeTensors,
  resultNamesOf,
} from "./describe-checkpoint.js";
import { identifyFile, readHead, readSafetensors, type SafetensorsFile } from "./formats/index.js";
import { openFileSource, readGgufFile } from "./formats/index.node.js";
import type { CheckpointFormat } from "./models/checkpoint.js";
import { type OpenOptions, openCheckpoint } from "./models/open.node.js";

export interface DescribeOptions extends OpenOptions {
  /** Also list the results inside the model that `Model.inspect` takes. Default false. */
  readonly results?: boolean;
}

export type PathDescription = CheckpointDescription & { readonly results?: readonly string[] };

/**
 * Describes a checkpoint; of a safetensors or GGUF file that cannot be opened as one, the tensors, with the reason in
 * `problem`.
 *
 * @throws what `openCheckpoint` throws, where the path is no such file; what is wrong with the file, where it is damaged
 */
export async function describe(path: string, options: DescribeOptions = {}): Promise<PathDescription> {
  const { results, ...opening } = options;
  try {
    const checkpoint = await openCheckpoint(path, opening);
    try {
      const description = describeCheckpoint(checkpoint);
      return results ? { ...description, results: resultNamesOf(checkpoint) } : description;
    } finally {
      await checkpoint.close();
    }
  } catch (error) {
    const described = error instanceof HithertoError && !results ? await describeFile(path, error.message) : undefined;
    if (described === undefined) throw error;
    return described;
  }
}

/** The tensors of one file; undefined where it is not of a kind that has them. */
async function describeFile(path: string, problem: string): Promise<CheckpointDescription | undefined> {
  const format = await formatOf(path);
  if (format === undefined) return undefined;
  const file = format === "gguf" ? await readGgufFile(path) : await readSafetensorsFile(path);
  try {
    const tensors: Iterable<StoredTensor> = file.tensors.values();
    return describeTensors(path, format, tensors, problem);
  } finally {
    await file.close();
  }
}

async function readSafetensorsFile(path: string): Promise<SafetensorsFile> {
  const source = await openFileSource(path);
  try {
    return await readSafetensors(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function formatOf(path: string): Promise<CheckpointFormat | undefined> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return undefined;
  const source = await openFileSource(path);
  try {
    const format = identifyFile(await readHead(source));
    if (format === "gguf") return "gguf";
    return format === "safetensors" ? "hugging-face" : undefined;
  } finally {
    await source.close();
  }
}
