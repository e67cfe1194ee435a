/** A model of letters, trained from nothing: its losses on the way, and what it writes at the end. */
import { createBackend } from "hitherto";
import { CheckpointFolder, saveModel, TrainableModel, textDataset, train, trainTokenizer } from "hitherto/training";

const folder = process.argv[2]; // where checkpoints and the model go; without it they go nowhere
const steps = 150;
const words = ["a little girl", "the small cat", "an old man", "her big dog"];
const acts = ["found a needle", "went to the park", "saw a red ball", "was very happy"];
const texts = words.flatMap((who) => acts.map((what) => `${who} ${what}.\n`));

const tokenizer = await trainTokenizer(texts, { vocabulary: { kind: "characters" }, special: { end: "<end>" } });
const data = await textDataset(texts, { tokenizer: tokenizer.tokenizer, heldOut: { count: 2 } });
const backend = await createBackend();
const model = TrainableModel.create(
  {
    model_type: "llama",
    vocab_size: tokenizer.tokenizer.vocabSize,
    hidden_size: 64,
    intermediate_size: 128,
    num_attention_heads: 4,
    num_hidden_layers: 2,
    max_position_embeddings: 64,
  },
  { backend, seed: 1, tokenizerFiles: tokenizer.files },
);

const run = train(model, data, {
  batch: { tokens: 512, contextLength: 64 },
  optimizer: { kind: "adamw", learningRate: 5e-3 },
  schedule: { kind: "cosine", steps, warmupSteps: 10 },
  evaluation: { everySteps: 50 },
  samples: { everySteps: steps, prompts: "the small", maxTokens: 30, temperature: 0 },
  store: folder === undefined ? undefined : new CheckpointFolder(`${folder}/checkpoints`),
  onMemory: ({ total }) => console.log(`${(total / 2 ** 20).toFixed(1)} MiB, all told`),
});
for await (const { step, loss, evaluation, sample } of run) {
  if (evaluation) console.log(`step ${step}: loss ${loss.toFixed(2)}, held out ${evaluation.loss.toFixed(2)}`);
  if (sample) console.log(sample.prompt + sample.text);
}
if (folder !== undefined) await saveModel(model, `${folder}/model`);
model.dispose();
await backend.dispose();
