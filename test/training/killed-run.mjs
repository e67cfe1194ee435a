/**
 * A run that is to be killed: trains in FOLDER until step STEPS, saying when each step is done.
 *
 *   node killed-run.mjs COMPILED FOLDER STEPS
 */
import { pathToFileURL } from "node:url";

const [compiled, folder, steps] = process.argv.slice(2);
const from = (file) => import(pathToFileURL(`${compiled}/${file}`).href);
const { CheckpointFolder, TrainableModel, idDataset, train } = await from("training/index.node.js");
const { createBackend } = await from("load-model.node.js");

const sequences = Array.from({ length: 60 }, (_, i) => ({
  target: Array.from({ length: 12 }, (_, k) => 3 + ((i + k * (1 + (i % 5))) % 13)),
}));
const data = idDataset("text", sequences, { vocabSize: 16, startId: 1, endId: 2, heldOut: { count: 5 } });
const backend = await createBackend({ threads: 1 });
const model = TrainableModel.create(
  { model_type: "gpt2", vocab_size: 16, n_positions: 16, n_embd: 16, n_head: 2, n_layer: 1 },
  { backend, seed: 3 },
);
const settings = {
  batch: { tokens: 64, microBatchTokens: 32, contextLength: 16 },
  schedule: { kind: "cosine", steps: Number(steps), warmupSteps: 10 },
  regularisation: { dropout: 0.1, weightAverage: 0.95 },
  evaluation: { everySteps: 10 },
  checkpoints: { everySteps: 5, keep: 2 },
};
process.stdout.write("ready\n");
for await (const { step } of train(model, data, { ...settings, store: new CheckpointFolder(folder) })) {
  process.stdout.write(`${step}\n`);
}
model.dispose();
await backend.dispose();
