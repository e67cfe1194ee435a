/** `hitherto finetune <base> [config]`: trains a model that exists further, all of it or by LoRA. */
import { extname, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { describe } from "../describe.node.js";
import { modelPath } from "../embedded-models.node.js";
import type { TrainingConfig } from "../training/config/config.js";
import { isObject } from "../training/config/kinds.js";
import { number, texts, wholeNumber } from "./flags.js";
import { given, modelHelp } from "./model-flags.js";
import type { Terminal } from "./terminal.js";
import { readWritten, settle } from "./train/load-config.js";
import type { StartTraining } from "./train/run-training.js";
import { startTraining } from "./train/start-training.js";
import { trainAs } from "./train.js";

export interface FinetuneFlags {
  readonly data?: readonly string[];
  readonly steps: number;
  readonly learningRate?: number;
  readonly contextLength?: number;
  /** True: of the usual rank. */
  readonly lora?: number | true;
  readonly out?: string;
  readonly set?: readonly string[];
  readonly force?: boolean;
  readonly printConfig?: boolean;
  readonly json?: boolean;
}

const afterHelp = `
Learns from a configuration without its "model" (see \`hitherto train --help\`), or
from --data and flags: text files, .jsonl with a "text" in each line, or, for an
encoder-decoder model, .tsv with source and target. A twentieth is held out.

All weights learn, unless --lora is given: then small matrices beside them do
(Hu et al., arXiv:2106.09685), which are written as a PEFT adapter. The run's
folder is as \`hitherto train\` makes it, and its --resume goes on with it.`;

export function addFinetune(program: Command, terminal: Terminal, start: StartTraining = startTraining): void {
  const flag = (flags: string, help: string) => new Option(flags, help);
  const rate = "step size at its highest (default: 1e-4; with --lora 1e-3)";
  program
    .command("finetune")
    .description("train a model that exists further, on your own text")
    .argument("<base>", modelHelp.replace(/ \(default.*$/, ""))
    .argument("[config]", "a configuration: .json, .ts, .mts, .js or .mjs")
    .addOption(
      flag("--data <PATH>", "what to learn from; repeatable (default: what CONFIG says)").argParser(texts("--data")),
    )
    .addOption(flag("--steps <N>", "optimizer steps, without CONFIG").default(200).argParser(wholeNumber("--steps", 1)))
    .addOption(flag("--learning-rate <X>", rate).argParser(number("--learning-rate", "a number above 0", (x) => x > 0)))
    .addOption(
      flag("--context-length <N>", "longest sequence, in tokens (default: the model's, at most 256)").argParser(
        wholeNumber("--context-length", 1),
      ),
    )
    .addOption(
      flag("--lora [RANK]", "learn matrices of this rank (default: off; 8 without RANK)").argParser(
        wholeNumber("--lora", 1),
      ),
    )
    .option("--out <DIR>", "the run's folder (default: runs/ and the name of CONFIG, or finetune)")
    .option("--set <KEY=VALUE>", "change a key of the configuration; repeatable (default: none)", texts("--set"))
    .option("--force", "replace a run that is in the folder (default: refuse)")
    .option("--print-config", "print the configuration, checked and complete, and do nothing (default: off)")
    .option("--json", "print one JSON object at the end, and no progress (default: off)")
    .addHelpText("after", afterHelp)
    .action((base: string, config: string | undefined, flags: FinetuneFlags) =>
      finetune(base, config, flags, terminal, start),
    );
}

export async function finetune(
  base: string,
  path: string | undefined,
  flags: FinetuneFlags,
  terminal: Terminal,
  start: StartTraining,
): Promise<void> {
  if ((path === undefined) === (flags.data === undefined)) {
    throw new InvalidArgumentError("give either CONFIG or --data: one of them says what to learn from");
  }
  const written = path === undefined ? await fromFlags(base, flags) : await readWritten(path);
  const config = settle(
    isObject(written) ? { ...written, model: modelOf(base, flags, written.model) } : written,
    [...(flags.out === undefined ? [] : [`run.folder=${flags.out}`]), ...(flags.set ?? [])],
    path ?? "finetune.json",
    flags.printConfig !== true,
  );
  if (flags.printConfig) await terminal.print(`${JSON.stringify(config, null, 2)}\n`);
  else
    await trainAs(config, { resume: false, force: flags.force ?? false, json: flags.json ?? false }, terminal, start);
}

/** The base, with LoRA as the flag says, or else as the configuration does. */
function modelOf(base: string, { lora }: FinetuneFlags, written: unknown): object {
  const chosen = lora === undefined ? undefined : lora === true ? {} : { rank: lora };
  const own = isObject(written) && isObject(written.lora) ? written.lora : undefined;
  const both = chosen === undefined ? own : { ...own, ...chosen };
  // Absolute, since paths in a configuration start at its own folder.
  return { kind: "checkpoint", path: resolve(modelPath(base)), ...given({ lora: both }) };
}

async function fromFlags(base: string, flags: FinetuneFlags): Promise<Omit<TrainingConfig, "model">> {
  const { data = [], steps, learningRate = flags.lora === undefined ? 1e-4 : 1e-3 } = flags;
  const contextLength = flags.contextLength ?? Math.min(256, await contextLengthOf(base));
  return {
    data: dataOf(data),
    batch: { contextLength, tokens: Math.max(1024, contextLength) },
    optimizer: { kind: "adamw", learningRate, weightDecay: flags.lora === undefined ? 0.1 : 0 },
    schedule: { kind: "cosine", steps, warmupSteps: Math.min(100, Math.ceil(steps / 20)) },
    evaluation: { everySteps: Math.max(1, Math.ceil(steps / 8)) },
    samples: { everySteps: Math.max(1, Math.ceil(steps / 4)) },
  };
}

async function contextLengthOf(base: string): Promise<number> {
  return (await describe(modelPath(base))).sizes?.contextLength ?? 256;
}

function dataOf(paths: readonly string[]): TrainingConfig["data"] {
  const kinds = [...new Set(paths.map((path) => extname(path.replace(/\.gz$/, "")).toLowerCase()))];
  if (kinds.every((kind) => kind === ".jsonl")) return { kind: "jsonl", files: paths, heldOut: { fraction: 0.05 } };
  if (kinds.every((kind) => kind === ".tsv")) return { kind: "tsv", files: paths, heldOut: { fraction: 0.05 } };
  if (kinds.some((kind) => kind === ".jsonl" || kind === ".tsv")) {
    throw new InvalidArgumentError("--data must be files of one kind: text, .jsonl or .tsv");
  }
  return { kind: "text", files: paths, heldOut: { last: 0.05 } };
}
