/** Whole runs of models with a few thousand weights: they learn, they resume to the bit, they stop. */
import { describe, expect, test } from "vitest";
import { availableBackends } from "../../test/support/backends.js";
import type { Backend } from "../backends/backend.js";
import { createBackend } from "../load-model.node.js";
import type { Dataset } from "./data/batch.js";
import { idDataset } from "./data/memory-datasets.js";
import type { TrainingOptions } from "./options.js";
import { type TrainingStep, train } from "./train.js";
import { TrainableModel } from "./trainable-model.js";

const gpt2 = { model_type: "gpt2", vocab_size: 16, n_positions: 24, n_embd: 32, n_head: 2, n_layer: 2 };
const llama = {
  model_type: "llama",
  vocab_size: 16,
  hidden_size: 32,
  intermediate_size: 48,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  num_hidden_layers: 2,
  max_position_embeddings: 24,
};
const t5 = {
  model_type: "t5",
  vocab_size: 16,
  d_model: 32,
  d_kv: 8,
  d_ff: 64,
  num_layers: 1,
  num_heads: 4,
  decoder_start_token_id: 0,
  n_positions: 24,
};

/** Sequences that count upwards by their first step, modulo 13: two tokens say what follows. */
function counting(count: number): { target: number[] }[] {
  return Array.from({ length: count }, (_, i) => {
    const [start, stride] = [i % 13, 1 + (Math.floor(i / 13) % 6)];
    return { target: Array.from({ length: 12 }, (_, k) => 3 + ((start + k * stride) % 13)) };
  });
}

const countingData = (): Dataset =>
  idDataset("text", counting(78), { vocabSize: 16, startId: 1, endId: 2, heldOut: { count: 10 } });

/** Targets are their sources backwards. */
const reversedData = (): Dataset =>
  idDataset(
    "pairs",
    Array.from({ length: 120 }, (_, i) => {
      const source = Array.from({ length: 3 + (i % 3) }, (_, k) => 3 + ((i * 7 + k * k * 5 + i * k) % 13));
      return { source, target: [...source].reverse() };
    }),
    { vocabSize: 16, startId: 0, endId: 2, heldOut: { count: 10 } },
  );

const settings: TrainingOptions = {
  batch: { tokens: 128, contextLength: 16 },
  optimizer: { kind: "adamw", learningRate: 1e-2 },
  schedule: { kind: "cosine", steps: 60, warmupSteps: 5 },
  evaluation: { everySteps: 20 },
};

async function run(
  backend: Backend,
  config: object,
  data: Dataset,
  options: TrainingOptions,
): Promise<{ steps: TrainingStep[]; model: TrainableModel }> {
  const model = TrainableModel.create(config as Record<string, unknown>, { backend, seed: 5 });
  const steps: TrainingStep[] = [];
  for await (const step of train(model, data, options)) steps.push(step);
  return { steps, model };
}

/** The best backend of this machine: the others compute the same, more slowly. */
const best = availableBackends.includes("native") ? "native" : "wasm";

describe("a run", () => {
  test.each([
    ["GPT-2", gpt2, countingData, 1],
    ["Llama", llama, countingData, 1],
    ["T5", t5, reversedData, 0.6],
  ] as const)("teaches a %s", async (_, config, data, reached) => {
    const backend = await createBackend({ backend: best });
    const options: TrainingOptions = { ...settings, schedule: { kind: "cosine", steps: 300, warmupSteps: 5 } };
    const { steps, model } = await run(backend, config, data(), options);
    const last = steps.at(-1)!;
    expect(last).toMatchObject({ step: 300, secondsLeft: 0 });
    expect(last.loss).toBeLessThan(reached);
    expect(last.evaluation!.loss).toBeLessThan(steps[0]!.loss);
    expect(steps.every(({ gradientNorm }) => gradientNorm > 0)).toBe(true);
    model.dispose();
    await backend.dispose();
  });

  test.each([
    ["GPT-2", gpt2, countingData],
    ["T5", t5, reversedData],
  ] as const)("of a %s has the losses that the reference backend has", async (_, config, data) => {
    const options: TrainingOptions = {
      ...settings,
      schedule: { kind: "constant", steps: 6 },
      regularisation: { dropout: 0.1, labelSmoothing: 0.1 },
    };
    const losses = await Promise.all(
      (["reference", best] as const).map(async (name) => {
        const backend = await createBackend({ backend: name });
        const { steps, model } = await run(backend, config, data(), options);
        model.dispose();
        await backend.dispose();
        return steps.map(({ loss }) => loss);
      }),
    );
    expect(losses[0]!.at(-1)).toBeLessThan(losses[0]![0]!);
    for (const [i, loss] of losses[0]!.entries()) expect(losses[1]![i]).toBeCloseTo(loss, 3);
  });
});
