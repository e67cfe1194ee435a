/** `hitherto train <config>`: trains a model as a configuration says. */
import { mkdir } from "node:fs/promises";
import { type Command, InvalidArgumentError } from "commander";
import { describeConfig } from "../training/config/describe.js";
import { texts } from "./flags.js";
import type { Terminal } from "./terminal.js";
import { duration } from "./train/figures.js";
import { loadConfig, type SettledConfig } from "./train/load-config.js";
import { createRun, reopenRun, writeConfig } from "./train/run-folder.js";
import { lockRun } from "./train/run-lock.js";
import { runTraining, type StartTraining, type TrainingResult } from "./train/run-training.js";
import { startTraining } from "./train/start-training.js";

export interface TrainFlags {
  readonly resume?: string;
  readonly set?: readonly string[];
  readonly force?: boolean;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

const afterHelp = `
The configuration is a .json file, or a .ts, .mts, .js or .mjs file whose default
export is one (TypeScript needs Node 22.18 or later, or the typescript package).
Recipes to start from are in recipes/.

On a terminal the run shows its loss curve, speed, and what the model writes;
elsewhere a line every ten seconds. Ctrl-C stops after the step and saves, a
second one stops at once. The run's folder has config.json, metrics.jsonl (one
object per step, evaluation and sample), checkpoints/ and, at the end, model/.

With --json, one object at the end: {"model", "steps", "loss", "heldOutLoss",
"bitsPerByte", "bestHeldOutLoss", "seconds"}; losses in nats per token.

THE CONFIGURATION

${describeConfig(80)}`;

export function addTrain(program: Command, terminal: Terminal, start: StartTraining = startTraining): void {
  program
    .command("train")
    .description("train a model as a configuration says")
    .argument("[config]", "a configuration: .json, .ts, .mts, .js or .mjs")
    .option("--resume <DIR>", "go on with the run in this folder, from its newest checkpoint (default: begin a run)")
    .option(
      "--set <KEY=VALUE>",
      "change a key, as in --set schedule.steps=500; repeatable (default: none)",
      texts("--set"),
    )
    .option("--force", "replace a run that is in the folder (default: refuse)")
    .option("--print-config", "print the configuration, checked and complete, and do nothing (default: off)")
    .option("--json", "print one JSON object at the end, and no progress (default: off)")
    .addHelpText("after", afterHelp)
    .action((config: string | undefined, flags: TrainFlags) => train(config, flags, terminal, start));
}

export async function train(
  path: string | undefined,
  flags: TrainFlags,
  terminal: Terminal,
  start: StartTraining,
): Promise<void> {
  const { resume, set = [], force = false, printConfig = false } = flags;
  if (resume !== undefined && (path !== undefined || force)) {
    throw new InvalidArgumentError(
      "--resume DIR goes on with that run's own configuration; leave out CONFIG and --force",
    );
  }
  if (path === undefined && resume === undefined) throw new InvalidArgumentError("missing CONFIG, or --resume DIR");
  if (printConfig) {
    const config = resume === undefined ? await loadConfig(path!, set, false) : await reopenRun(resume, set, false);
    await terminal.print(`${JSON.stringify(config, null, 2)}\n`);
    return;
  }
  const config = resume === undefined ? await loadConfig(path!, set) : await reopenRun(resume, set);
  await trainAs(config, { resume: resume !== undefined, force, json: flags.json ?? false }, terminal, start);
}

/** Runs a configuration, and tells what came of it. */
export async function trainAs(
  config: SettledConfig,
  { resume, force, json }: { resume: boolean; force: boolean; json: boolean },
  terminal: Terminal,
  start: StartTraining,
): Promise<void> {
  const { folder } = config.run;
  await mkdir(folder, { recursive: true });
  using _lock = lockRun(folder);
  if (resume) await writeConfig(config);
  else await createRun(config, force);
  const result = await runTraining(config, { resume, quiet: json }, terminal, start);
  if (json) await terminal.printJson(result);
  else await terminal.print(summary(result));
}

function summary({ model, steps, loss, heldOutLoss, bitsPerByte, bestHeldOutLoss, seconds }: TrainingResult): string {
  const best = bestHeldOutLoss === heldOutLoss ? "" : `, best ${bestHeldOutLoss?.toFixed(4)}`;
  const perByte = bitsPerByte === undefined ? "" : `, ${bitsPerByte.toFixed(4)} bits per byte`;
  return [
    `steps     ${steps} in ${duration(seconds)}`,
    ...(loss === undefined ? [] : [`loss      ${loss.toFixed(4)} nats per token in the last step`]),
    ...(heldOutLoss === undefined ? [] : [`held out  ${heldOutLoss.toFixed(4)} nats per token${perByte}${best}`]),
    `model     ${model}\n`,
  ].join("\n");
}
