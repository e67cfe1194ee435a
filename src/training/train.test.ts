/** Whole runs of models with a few thousand weights: they learn, they resume to the bit, they stop. */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { availableBackends } from "../../test/support/backends.js";
import { countingData, gpt2, llama, reversedData, t5 } from "../../test/support/tiny-training.js";
import type { Backend } from "../backends/backend.js";
import { createBackend } from "../load-model.node.js";
import type { Dataset } from "./data/batch.js";
import { openTrainableModel } from "./open-model.node.js";
import type { TrainingOptions } from "./options.js";
import { type TrainingStep, train } from "./train.js";
import { TrainableModel } from "./trainable-model.js";

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
  test.each(["llama-mha-tied", "gpt2"])("goes on with what PyTorch wrote: %s", async (name) => {
    const backend = await createBackend({ backend: best });
    const path = fileURLToPath(new URL(`../../test/parity/fixtures/${name}`, import.meta.url));
    const model = await openTrainableModel(path, backend);
    const names = [...model.contents().tensors].map((tensor) => tensor.name);
    const losses: number[] = [];
    const schedule = { kind: "constant", steps: 12 } as const;
    for await (const { loss } of train(model, countingData(), { ...settings, schedule })) losses.push(loss);
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.2);
    expect([...model.contents().tensors].map((tensor) => tensor.name)).toEqual(names);
    model.dispose();
    await backend.dispose();
  });

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
