/**
 * The same model, the same tokens in the same order, the same learning rates: trained here and by PyTorch, and how well
 * each then predicts what was held out. Needs a built package, and a Python with torch, transformers and safetensors.
 *
 *   HITHERTO_PYTHON=python3 node test/parity/train-beside-torch.mjs recipes/stories.json STEPS [KEY=VALUE …]
 *
 * AdamW by the recipe's `optimizer` where that is its kind, else with a learning rate of 0.002. Prints one JSON object;
 * everything lies in a temporary folder until then.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { settle } from "../../dist/cli/train/load-config.js";
import { completedModelConfig } from "../../dist/cli/train/model-config.js";
import { datasetFor, tokenizerFor } from "../../dist/cli/train/sources.js";
import { memoryTensor, writeSafetensors } from "../../dist/formats/index.js";
import { createFileSink, writeHuggingFaceFolder } from "../../dist/formats/index.node.js";
import { createBackend } from "../../dist/index.node.js";
import { TrainableModel, train } from "../../dist/training/index.node.js";
import { rateFactor } from "../../dist/training/schedule.js";

const [recipe, stepsText, ...overrides] = process.argv.slice(2);
const steps = Number(stepsText);
const folder = mkdtempSync(join(tmpdir(), "beside-torch-"));

const written = JSON.parse(readFileSync(recipe, "utf8"));
const adamw = { kind: "adamw", learningRate: 0.002, beta1: 0.9, beta2: 0.98, weightDecay: 0.1, clipNorm: 1 };
if (written.optimizer?.kind !== "adamw") written.optimizer = adamw;
written.schedule = { kind: "cosine", steps, warmupSteps: Math.ceil(steps / 10) };
written.samples = { everySteps: 0 };
written.evaluation = { everySteps: steps };
const config = settle(written, [`run.folder=${folder}/run`, ...overrides], recipe);
const precision = config.hardware.precision ?? "f32";
const watch = { signal: new AbortController().signal, onProgress() {} };

const backend = await createBackend("native", config.hardware.threads);
const tokenizer = await tokenizerFor(config, undefined, watch);
const data = await datasetFor(config, tokenizer, watch);
const values = completedModelConfig(config.model.config, tokenizer.tokenizer, "text", config.batch.contextLength);
const model = TrainableModel.create(values, { backend, seed: config.run.seed, tokenizerFiles: tokenizer.files });
await writeHuggingFaceFolder(join(folder, "initial"), model.contents());

const { tokens, microBatchTokens = tokens, contextLength } = config.batch;
const shape = { tokens: microBatchTokens, contextLength };
const parts = Math.max(1, Math.round(tokens / microBatchTokens));
await writeBatches(
  join(folder, "train.safetensors"),
  await collect(data.batches(shape, { seed: config.run.seed }), steps * parts),
);
await writeBatches(join(folder, "held-out.safetensors"), await collect(data.heldOut(shape), Number.POSITIVE_INFINITY));
const rates = Array.from(
  { length: steps },
  (_, i) => config.optimizer.learningRate * rateFactor(config.schedule, i + 1),
);
const plan = {
  steps,
  parts,
  rates,
  optimizer: config.optimizer,
  precision,
  threads: backend.threads,
  bytes: data.heldOutBytes,
};
writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));

const losses = [];
let heldOut;
const began = performance.now();
const { optimizer, schedule, evaluation, batch } = config;
for await (const step of train(model, data, {
  batch,
  optimizer,
  schedule,
  evaluation,
  seed: config.run.seed,
  compute: { precision },
})) {
  losses.push(step.loss);
  heldOut = step.evaluation ?? heldOut;
}
const ours = {
  losses,
  heldOutLoss: heldOut.loss,
  bitsPerByte: heldOut.bitsPerByte,
  seconds: (performance.now() - began) / 1000,
};
await data.close();
await backend.dispose();

const script = fileURLToPath(new URL("train_beside_torch.py", import.meta.url));
const answer = spawnSync(process.env.HITHERTO_PYTHON ?? "python3", [script, folder], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
});
if (answer.status !== 0) throw new Error(answer.stderr);
const torch = JSON.parse(answer.stdout.trim().split("\n").at(-1));
rmSync(folder, { recursive: true });
const last = (each) => each.losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / Math.min(10, each.losses.length);
const report = (each) => ({ ...each, losses: undefined, firstLoss: each.losses[0], lastLosses: last(each) });
console.log(
  JSON.stringify({ steps, tokensPerStep: tokens, precision, ours: report(ours), torch: report(torch) }, undefined, 2),
);

async function collect(batches, most) {
  const found = [];
  for await (const each of batches) {
    found.push(each.batch ?? each);
    if (found.length >= most) break;
  }
  return found;
}

/** Batches end to end, and where each ends. */
async function writeBatches(path, batches) {
  const ends = [];
  let end = 0;
  for (const { ids } of batches) {
    end += ids.length;
    ends.push(end);
  }
  const joined = (key) => {
    const all = new Int32Array(end);
    let at = 0;
    for (const each of batches) {
      all.set(each[key], at);
      at += each[key].length;
    }
    return memoryTensor(key, [end], "i32", all);
  };
  const tensors = ["ids", "targets", "positions", "first"].map(joined);
  const sink = await createFileSink(path);
  await writeSafetensors(sink, [...tensors, memoryTensor("ends", [ends.length], "i32", Int32Array.from(ends))]);
}
