/** LoRA adapters: those of Hugging Face PEFT compute here what they do there, and ours are written as it writes. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { ReferenceBackend } from "../../src/backends/reference/reference-backend.js";
import { openFolder } from "../../src/formats/folder.node.js";
import { dequantize, MemorySink, memoryFolder } from "../../src/formats/index.js";
import type { Model } from "../../src/generation/model.js";
import { modelFrom } from "../../src/load-model.js";
import { createBackend } from "../../src/load-model.node.js";
import { withAdapter } from "../../src/models/adapters/merge.js";
import { type AdapterFile, openAdapter, writeAdapter } from "../../src/models/adapters/peft.js";
import { openCheckpoint } from "../../src/models/open.node.js";
import { MemoryCheckpointStore } from "../../src/training/checkpoint-store.js";
import { inferenceModel } from "../../src/training/inference.js";
import { openTrainableModel } from "../../src/training/open-model.node.js";
import { train } from "../../src/training/train.js";
import { TrainableModel } from "../../src/training/trainable-model.js";
import { availableBackends } from "../support/backends.js";
import { countingData, gpt2, llama } from "../support/tiny-training.js";

const here = dirname(fileURLToPath(import.meta.url));
const bases = readdirSync(join(here, "adapters"));
const basePath = (name: string) => join(here, "..", "parity", "fixtures", name);
const fixture = async (name: string): Promise<AdapterFile> =>
  openAdapter(await openFolder(join(here, "adapters", name)));
const reference = new ReferenceBackend(dequantize);

interface Expected {
  readonly ids: number[];
  readonly source: number[];
  readonly logits: number[];
}
const expected = (name: string) =>
  JSON.parse(readFileSync(join(here, "adapters", name, "reference.json"), "utf8")) as Expected;

async function lastLogits(model: Model, name: string): Promise<number[]> {
  const { ids, source } = expected(name);
  const logits = await model.logits(model.config.kind === "decoder-only" ? ids : { source, target: ids });
  return [...logits.subarray(logits.length - model.config.vocabSize)];
}

function expectClose(actual: readonly number[], wanted: readonly number[]): void {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = actual.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  expect(actual.length).toBe(wanted.length);
  expect(difference / largest).toBeLessThan(1e-4);
}

describe.each(bases)("an adapter of PEFT beside %s", (name) => {
  test("computes what it does in PyTorch, beside the weights and merged into them", async () => {
    await using adapter = await fixture(name);
    using model = await openTrainableModel(basePath(name), reference);
    await using without = await inferenceModel(model);
    await model.adapt(adapter);
    await using beside = await inferenceModel(model);
    expectClose(await lastLogits(beside, name), expected(name).logits);
    model.merge();
    await using merged = await inferenceModel(model);
    expectClose(await lastLogits(merged, name), expected(name).logits);
    expect(await lastLogits(without, name)).not.toEqual(await lastLogits(merged, name));
  });

  test("is merged into a checkpoint as it is loaded", async () => {
    await using adapter = await fixture(name);
    const checkpoint = await openCheckpoint(basePath(name));
    await using model = await modelFrom(withAdapter(checkpoint, adapter), reference, {}, () => checkpoint.close());
    expectClose(await lastLogits(model, name), expected(name).logits);
  });

  test("is written again as it was", async () => {
    await using adapter = await fixture(name);
    using model = await openTrainableModel(basePath(name), reference);
    await model.adapt(adapter);
    const sinks = new Map<string, MemorySink>();
    await writeAdapter(async (file) => {
      sinks.set(file, new MemorySink(file));
      return sinks.get(file)!;
    }, model.adapterContents());
    const folder = memoryFolder(new Map([...sinks].map(([file, sink]) => [file, sink.bytes()])));
    await using again = await openAdapter(folder);
    expect(again.config.scale).toBeCloseTo(adapter.config.scale, 12);
    expect([...again.tensors.keys()].sort()).toEqual([...adapter.tensors.keys()].sort());
    for (const [key, tensor] of adapter.tensors) {
      const [a, b] = [new Uint8Array(tensor.byteLength), new Uint8Array(tensor.byteLength)];
      await Promise.all([tensor.read(0, a), again.tensors.get(key)!.read(0, b)]);
      expect(again.tensors.get(key)!.shape).toEqual(tensor.shape);
      expect(b).toEqual(a);
    }
  });
});

describe("learning an adapter", () => {
  const settings = {
    batch: { tokens: 96, contextLength: 16 },
    optimizer: { kind: "adamw", learningRate: 1e-2, weightDecay: 0 },
    schedule: { kind: "constant", steps: 20 },
    checkpoints: { everySteps: 7 },
  } as const;

  test.each([
    ["Llama", llama, ["q_proj", "v_proj"]],
    ["GPT-2", gpt2, ["c_attn"]],
  ] as const)("leaves the weights of a %s as they are, and resumes to the bit", async (_, config, names) => {
    const backend = await createBackend({ backend: availableBackends[0] });
    const run = async (store: MemoryCheckpointStore, seed: number, last?: number) => {
      using model = TrainableModel.create(config, { backend, seed: 2 });
      const before = [...model.parameters.values()].map(({ state }) => state.data.slice());
      await model.adapt({ rank: 2, alpha: 4, dropout: 0.1 }, seed);
      expect(model.adapter!.settings.targets).toEqual(names);
      const losses: number[] = [];
      const controller = new AbortController();
      const options = { ...settings, store, signal: controller.signal };
      for await (const { step, loss } of train(model, countingData(), options)) {
        losses.push(loss);
        if (step + 1 === last) controller.abort();
      }
      expect([...model.parameters.values()].map(({ state }) => state.data)).toEqual(before);
      return { losses, weights: model.learned.map(({ state }) => state.data.slice()) };
    };
    const whole = await run(new MemoryCheckpointStore(), 1);
    expect(whole.losses.at(-1)).toBeLessThan(whole.losses[0]! - 0.02);
    const store = new MemoryCheckpointStore();
    await run(store, 1, 10);
    // What a part that resumes begins with is of no use.
    expect((await run(store, 99)).weights).toEqual(whole.weights);
    await backend.dispose();
  });

  test("refuses targets that the model does not have", async () => {
    using model = TrainableModel.create(llama, { backend: reference });
    await expect(model.adapt({ targets: ["c_attn"] })).rejects.toThrow(/q_proj, k_proj/);
    await model.adapt({ targets: ["all"], rank: 1 });
    expect(model.adapter!.config.pairs.size).toBe(2 * 7);
  });
});
