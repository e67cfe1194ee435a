/** A run that stops, however, goes on as if it never had: to the bit. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { availableBackends } from "../../test/support/backends.js";
import { countingData, gemma, gpt2, reversedData, t5 } from "../../test/support/tiny-training.js";
import type { Backend } from "../backends/backend.js";
import { createBackend, loadModel } from "../load-model.node.js";
import { CheckpointFolder } from "./checkpoint-folder.node.js";
import { type CheckpointStore, MemoryCheckpointStore } from "./checkpoint-store.js";
import type { Dataset } from "./data/batch.js";
import { DivergenceError } from "./divergence.js";
import type { TrainingOptions } from "./options.js";
import { type TrainingStep, train } from "./train.js";
import { TrainableModel } from "./trainable-model.js";

const folder = mkdtempSync(join(tmpdir(), "hitherto-resume-"));
let backend: Backend;
beforeAll(async () => {
  backend = await createBackend({ backend: availableBackends[0] });
});
afterAll(async () => {
  await backend.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Everything that has a state: dropout, several parts per step, an average, an optimizer, passes over the data. */
const options: TrainingOptions = {
  batch: { tokens: 96, microBatchTokens: 48, contextLength: 16 },
  optimizer: { kind: "adamw", learningRate: 3e-3 },
  schedule: { kind: "cosine", steps: 24, warmupSteps: 3 },
  regularisation: { dropout: 0.2, weightAverage: 0.9, labelSmoothing: 0.1 },
  evaluation: { everySteps: 5 },
  checkpoints: { everySteps: 6, keep: 2 },
};

const digestOf = (bytes: NodeJS.ArrayBufferView) => createHash("sha256").update(bytes).digest("hex");
const weightsOf = (model: TrainableModel) =>
  [...model.parameters.values()].map(({ name, state }) => `${name} ${digestOf(state.data)}`);

interface Result {
  readonly steps: TrainingStep[];
  readonly weights: string[];
  /** Files of the last checkpoint: optimizer, average, place, best loss. */
  readonly saved: string[];
}

/** Trains until the end, or the step that `stop` says is the last, from weights that are of no use where there is a checkpoint. */
async function run(
  store: CheckpointStore,
  config: object,
  data: Dataset,
  { stop, seed = 5, ...others }: Partial<TrainingOptions> & { stop?: (step: number) => boolean; seed?: number } = {},
): Promise<Result> {
  using model = TrainableModel.create(config as Record<string, unknown>, { backend, seed });
  const steps: TrainingStep[] = [];
  const controller = new AbortController();
  for await (const step of train(model, data, { ...options, ...others, store, signal: controller.signal })) {
    steps.push(step);
    if (stop?.(step.step + 1)) controller.abort();
  }
  return { steps, weights: weightsOf(model), saved: await savedFiles(store) };
}

async function savedFiles(store: CheckpointStore): Promise<string[]> {
  const last = (await store.steps()).at(-1);
  if (last === undefined) return [];
  const checkpoint = await store.open(last);
  const files = ["training.json", "training.safetensors", "model.safetensors"];
  return Promise.all(
    files.map(async (file) => {
      const source = await checkpoint.open(file);
      const bytes = new Uint8Array(source.size);
      await source.read(0, bytes);
      await source.close();
      return file.endsWith(".json") ? new TextDecoder().decode(bytes) : digestOf(bytes);
    }),
  );
}

describe("a run that was stopped goes on to the same bits", () => {
  test.each([
    ["GPT-2", gpt2, countingData, {}],
    ["Gemma, whose norms are stored shifted", gemma, countingData, {}],
    ["T5", t5, reversedData, {}],
    ["Muon", gpt2, countingData, { optimizer: { kind: "muon" } }],
    ["Lion, in bfloat16", gpt2, countingData, { optimizer: { kind: "lion" }, compute: { precision: "bf16" } }],
    [
      "stochastic gradient descent, recomputing",
      gpt2,
      countingData,
      { optimizer: { kind: "sgd" }, compute: { recompute: true } },
    ],
  ] as const)("%s", async (_, config, data, others) => {
    const whole = await run(new MemoryCheckpointStore(), config, data(), others);
    const store = new MemoryCheckpointStore();
    const parts = [9, 11, 17].map((last) => (step: number) => step >= last);
    const steps: TrainingStep[] = [];
    for (const [i, stop] of [...parts, undefined].entries()) {
      const part = await run(store, config, data(), { ...others, stop, seed: i === 0 ? 5 : 100 + i });
      steps.push(...part.steps);
      if (i < parts.length) expect(part.steps.at(-1)).toMatchObject({ isStopped: true, step: [9, 11, 17][i] });
      if (i === parts.length) {
        expect(part.weights).toEqual(whole.weights);
        expect(part.saved).toEqual(whole.saved);
      }
    }
    expect(steps.map(({ loss }) => loss)).toEqual(whole.steps.map(({ loss }) => loss));
    expect(steps.map(({ evaluation }) => evaluation)).toEqual(whole.steps.map(({ evaluation }) => evaluation));
  });

  test("in folders, which any program opens", async () => {
    const store = new CheckpointFolder(join(folder, "checkpoints"));
    const whole = await run(new MemoryCheckpointStore(), gpt2, countingData());
    await run(store, gpt2, countingData(), { stop: (step) => step >= 11 });
    expect(await store.steps()).toEqual(expect.arrayContaining([11]));
    const { weights, saved } = await run(store, gpt2, countingData());
    expect(weights).toEqual(whole.weights);
    expect(saved).toEqual(whole.saved);
    await using model = await loadModel(store.placeOf(24), { backend: "reference" });
    expect((await model.logits([1, 5, 6])).length).toBe(3 * 16);
  });

  test("when it was over, with nothing more to do", async () => {
    const store = new MemoryCheckpointStore();
    const { weights } = await run(store, gpt2, countingData());
    const again = await run(store, gpt2, countingData(), { seed: 9 });
    expect(again.steps).toEqual([]);
    expect(again.weights).toEqual(weights);
  });

  test("but not with other batches, whose places in the data mean something else", async () => {
    const store = new MemoryCheckpointStore();
    await run(store, gpt2, countingData(), { stop: (step) => step >= 2 });
    const other = run(store, gpt2, countingData(), { batch: { tokens: 32, contextLength: 16 } });
    await expect(other).rejects.toThrow(/settings of a run that is resumed/);
  });
});

describe("checkpoints", () => {
  test("of the newest steps are kept, and of the best", async () => {
    const store = new MemoryCheckpointStore();
    const { steps } = await run(store, gpt2, countingData(), { checkpoints: { everySteps: 4, keep: 2 } });
    const best = steps.filter(({ evaluation }) => evaluation?.isBest).at(-1)!.step;
    expect(await store.steps()).toEqual([...new Set([best, 20, 24])].sort((a, b) => a - b));
    const written = steps.filter(({ checkpoint }) => checkpoint !== undefined).map(({ step }) => step);
    expect(written).toEqual(expect.arrayContaining([4, 8, 12, 16, 20, 24]));
  });
});

describe("a run that comes apart", () => {
  test("stops before the step, and names it, the tensor and the last good checkpoint", async () => {
    const store = new MemoryCheckpointStore("run");
    using model = TrainableModel.create(gpt2, { backend, seed: 5 });
    const steps = train(model, countingData(), { ...options, store });
    let error: unknown;
    try {
      for await (const { step } of steps) {
        if (step === 8) model.parameters.get("blocks.1.feedForward.up.weight")!.state.data[3] = Number.NaN;
      }
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ step: 9, tensor: "blocks.1.feedForward.up.weight", lastCheckpoint: "run/step-6" });
    expect(String(error)).toContain("run/step-6");
  });
});
