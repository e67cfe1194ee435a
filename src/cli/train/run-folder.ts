/**
 * The folder of a run:
 *
 *   config.json     the configuration, checked and complete
 *   metrics.jsonl   what was measured
 *   tokenizer/      where one was made
 *   checkpoints/    step-N: all that resuming needs
 *   process         the process that trains there now
 *   model/          the trained model, a Hugging Face folder
 *   adapter/        where one was learned: for Hugging Face PEFT; model/ has it merged
 */
import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { FileNotFoundError, HithertoError } from "../../core/errors.js";
import { ConfigError } from "../../training/config/kinds.js";
import { type SettledConfig, settle } from "./load-config.js";
import { metricsFileName } from "./metrics.js";

const configFileName = "config.json";
const checkpointsName = "checkpoints";
const modelName = "model";
const adapterName = "adapter";
const own = [configFileName, metricsFileName, "tokenizer", checkpointsName, modelName, adapterName];

/** A folder has a run in it, and nobody said what to do with it. */
export class RunExistsError extends HithertoError {
  readonly code = "RUN_EXISTS";

  constructor(readonly folder: string) {
    super(`${folder} has a run already; go on with it by --resume ${folder}, or replace it by --force`);
  }
}

export const checkpointsIn = (folder: string) => join(folder, checkpointsName);
export const adapterIn = (folder: string) => join(folder, adapterName);
export const modelIn = (folder: string) => join(folder, modelName);

/**
 * Begins a new run in its folder, with its configuration in it.
 * @param force - whether a run that is there is replaced; other files in the folder stay
 * @throws RunExistsError
 */
export async function createRun(config: SettledConfig, force: boolean): Promise<void> {
  const { folder } = config.run;
  const there = (await readdir(folder)).filter((name) => own.includes(name));
  if (there.length > 0 && !force) throw new RunExistsError(folder);
  for (const name of there) await rm(join(folder, name), { recursive: true });
  await writeConfig(config);
}

/**
 * The configuration of the run in `folder`, with some keys changed.
 * @param mustExist - whether paths in it that do not exist are refused
 * @throws FileNotFoundError where there is no run, ConfigError, DataNotFoundError
 */
export async function reopenRun(
  folder: string,
  overrides: readonly string[],
  mustExist = true,
): Promise<SettledConfig> {
  const path = join(folder, configFileName);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new FileNotFoundError(folder, `the folder of a run, with ${configFileName}`, error.code);
  });
  for (const override of overrides) refuseFixed(override, path);
  const settled = settle(JSON.parse(text), overrides, path, mustExist);
  // The folder may have been moved since.
  return { ...settled, run: { ...settled.run, folder: resolve(folder) } };
}

/** What a checkpoint depends on. */
const fixed = ["model", "tokenizer", "data", "batch", "optimizer.kind", "run.seed", "run.folder"];

function refuseFixed(override: string, path: string): void {
  const key = override.split("=")[0]!;
  if (!fixed.some((each) => key === each || key.startsWith(`${each}.`))) return;
  throw new ConfigError(key, "cannot change in a run that is resumed; begin a new one", path);
}

/** Written under another name first: a half-written configuration is never there. */
export async function writeConfig(config: SettledConfig): Promise<void> {
  const path = join(config.run.folder, configFileName);
  await writeFile(`${path}.partial`, `${JSON.stringify(config, null, 2)}\n`);
  await rename(`${path}.partial`, path);
}

/** Whether there is a checkpoint to resume from. */
export async function hasCheckpoint(folder: string): Promise<boolean> {
  const checkpoints = checkpointsIn(folder);
  return existsSync(checkpoints) && (await readdir(checkpoints)).some((name) => /^step-\d+$/.test(name));
}
