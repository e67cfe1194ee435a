/** Makes a run ready: backend, tokenizer, data, model, and the trainer's steps as what is kept and shown. */
import type { Backend } from "../../backends/backend.js";
import { modelPath } from "../../embedded-models.node.js";
import { createBackend } from "../../load-model.node.js";
import { openCheckpoint } from "../../models/open.node.js";
import {
  CheckpointFolder,
  type Dataset,
  type SavedTokenizer,
  savedTokenizer,
  TrainableModel,
  type TrainingMemory,
  type TrainingStep,
  train,
} from "../../training/index.node.js";
import { given } from "../model-flags.js";
import type { TrainingEvent } from "./events.js";
import { bytes, count, grouped } from "./figures.js";
import type { SettledConfig } from "./load-config.js";
import { completedModelConfig, specialIds } from "./model-config.js";
import { checkpointsIn } from "./run-folder.js";
import type { ReadyTraining, StartOptions, StartTraining, Telling } from "./run-training.js";
import { datasetFor, kindOf, tokenizerFor } from "./sources.js";
import { writeTrained } from "./write-trained.js";

/** What has to be freed, in reverse order. */
type Closers = (() => unknown)[];

async function closeAll(closers: Closers): Promise<void> {
  while (closers.length > 0) await closers.pop()!();
}

export const startTraining: StartTraining = async (config, options) => {
  const closers: Closers = [];
  try {
    return await start(config, options, closers);
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
};

async function start(config: SettledConfig, options: StartOptions, closers: Closers): Promise<ReadyTraining> {
  const { backend: name, threads, instructionSet } = config.hardware;
  const { onNotice, signal, resume } = options;
  const backend = await createBackend({ ...given({ backend: name, threads, instructionSet }), onNotice });
  closers.push(() => backend.dispose());
  const opened = config.model.kind === "checkpoint" ? await openModel(config.model.path, backend, signal) : undefined;
  if (opened !== undefined) closers.push(() => opened.dispose());
  if (config.model.kind === "checkpoint" && config.model.lora !== undefined) {
    await opened!.adapt(config.model.lora, config.run.seed);
  }
  const own = opened && opened.files.tokenizerFiles.size > 0 ? savedTokenizer(opened.files.tokenizerFiles) : undefined;
  const tokenizer = await tokenizerFor(config, own, options);
  const data = await datasetFor(config, tokenizer, options);
  closers.push(() => data.close());
  const model = opened ?? newModel(config, tokenizer, backend);
  if (opened === undefined) closers.push(() => model.dispose());
  const store = new CheckpointFolder(checkpointsIn(config.run.folder));
  const fromStep = resume ? ((await store.steps()).at(-1) ?? 0) : 0;
  const { name: runName, folder } = config.run;
  const summary = summaryOf(model, data, backend, precisionFor(config, backend));
  return {
    facts: { name: runName, folder, steps: config.schedule.steps, fromStep, summary },
    events: (telling) => eventsOf(config, { model, data, backend, store }, { ...telling, signal }),
    writeModel: () => writeTrained(model, store, config),
    [Symbol.asyncDispose]: () => closeAll(closers),
  };
}

async function openModel(path: string, backend: Backend, signal: AbortSignal): Promise<TrainableModel> {
  const checkpoint = await openCheckpoint(modelPath(path));
  try {
    return await TrainableModel.open(checkpoint, backend, signal);
  } finally {
    await checkpoint.close();
  }
}

function newModel(
  { model, data, batch, run }: SettledConfig,
  tokenizer: SavedTokenizer,
  backend: Backend,
): TrainableModel {
  const kind = kindOf(data);
  const values = model.kind === "new" ? model.config : {};
  const config = completedModelConfig(values, tokenizer.tokenizer, kind, batch.contextLength);
  const generationConfig = specialIds(tokenizer.tokenizer, kind);
  const { initializer_range: deviation } = values as { readonly initializer_range?: number };
  const initialisation = given({ deviation });
  const files = { tokenizerFiles: tokenizer.files, generationConfig };
  return TrainableModel.create(config, { backend, seed: run.seed, initialisation, ...files });
}

/** bf16 where the processor multiplies it many times as fast as f32. */
function precisionFor({ hardware }: SettledConfig, { instructionSet }: Backend): "bf16" | "f32" {
  return hardware.precision ?? (instructionSet === "amx" ? "bf16" : "f32");
}

function summaryOf(model: TrainableModel, data: Dataset, backend: Backend, precision: string): string[] {
  const { trainTokens, heldOutTokens, kind, summary } = data;
  const examples = kind === "pairs" ? "pairs" : "documents";
  const { empty, tooLong, shared } = summary.dropped;
  const dropped = Object.entries({ empty, "too long": tooLong, "held out elsewhere": shared }).filter(
    ([, each]) => each > 0,
  );
  const left =
    dropped.length === 0 ? "" : `; left out: ${dropped.map(([why, each]) => `${grouped(each)} ${why}`).join(", ")}`;
  return [
    `model: ${model.config.family}, ${count(model.parameterCount)} parameters`,
    `data: ${grouped(trainTokens)} tokens of ${grouped(summary.trainExamples)} ${examples} to learn, ` +
      `${grouped(heldOutTokens)} of ${grouped(summary.heldOutExamples)} held out${left}`,
    `backend: ${backend.name}, ${backend.instructionSet}, ${backend.threads} threads, products in ${precision}`,
  ];
}

interface Trained {
  readonly model: TrainableModel;
  readonly data: Dataset;
  readonly backend: Backend;
  readonly store: CheckpointFolder;
}

async function* eventsOf(
  config: SettledConfig,
  { model, data, backend, store }: Trained,
  { secondsBefore, note, signal }: Telling & { readonly signal: AbortSignal },
): AsyncGenerator<TrainingEvent, void> {
  const { batch, optimizer, schedule, regularisation, evaluation, samples, checkpoints } = config;
  const began = performance.now();
  const steps = train(model, data, {
    seed: config.run.seed,
    ...{ batch, optimizer, schedule, regularisation, evaluation, samples, checkpoints },
    compute: { precision: precisionFor(config, backend), recompute: config.hardware.recompute },
    store,
    signal,
    onMemory: (memory) => note(memoryLine(memory)),
  });
  for await (const step of steps) yield* eventsOfStep(step, secondsBefore + (performance.now() - began) / 1000);
}

function* eventsOfStep(
  { step, loss, learningRate, gradientNorm, tokens, tokensPerSecond, secondsLeft, evaluation, sample }: TrainingStep,
  seconds: number,
): Generator<TrainingEvent> {
  const measured = { step, loss, learningRate, gradientNorm, tokens, seconds: Math.round(seconds * 1000) / 1000 };
  yield { kind: "step", ...measured, tokensPerSecond, secondsLeft };
  if (evaluation !== undefined && evaluation.tokens > 0) {
    yield { kind: "evaluation", step, loss: evaluation.loss, ...given({ bitsPerByte: evaluation.bitsPerByte }) };
  }
  if (sample !== undefined) yield { kind: "sample", step, prompt: sample.prompt, text: sample.text };
}

function memoryLine({ weights, gradients, optimizer, average, activations, total }: TrainingMemory): string {
  const parts = Object.entries({ weights, gradients, optimizer, average, activations }).filter(([, size]) => size > 0);
  return `memory: ${bytes(total)} (${parts.map(([what, size]) => `${what} ${bytes(size)}`).join(", ")})`;
}
