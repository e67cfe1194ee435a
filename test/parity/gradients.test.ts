/** Whole models' losses and gradients against PyTorch, with and without label smoothing and z-loss. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readSafetensors, readTensorFloats } from "../../src/formats/index.js";
import { openFileSource } from "../../src/formats/index.node.js";
import { createBackend } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";
import { CompiledTraining, type TrainingSequence } from "../support/training.js";
import { readReference } from "./reference.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const settings = {
  plain: {},
  smoothed: { labelSmoothing: 0.1, zLoss: 0.01 },
} as const;
const cases = readdirSync(fixtures)
  .flatMap((name) => (Object.keys(settings) as (keyof typeof settings)[]).map((setting) => ({ name, setting })))
  .filter(({ name, setting }) => existsSync(join(fixtures, name, `gradients-${setting}.safetensors`)));

/** By which the largest error of a gradient is divided: the largest magnitude in its tensor. */
const tolerance = 1e-5;

async function readFixture(name: string, setting: string): Promise<Map<string, Float32Array>> {
  await using file = await readSafetensors(
    await openFileSource(join(fixtures, name, `gradients-${setting}.safetensors`)),
  );
  const tensors = [...file.tensors].map(async ([key, tensor]) => [key, await readTensorFloats(tensor)] as const);
  return new Map(await Promise.all(tensors));
}

async function sequencesOf(name: string, expected: ReadonlyMap<string, Float32Array>): Promise<TrainingSequence[]> {
  const reference = await readReference(join(fixtures, name));
  const numbers = (key: string) => Array.from(reference.get(key)!);
  const count = [...expected.keys()].filter((key) => key.startsWith("targets_")).length;
  return Array.from({ length: count }, (_, i) => {
    const targets = Array.from(expected.get(`targets_${i}`)!);
    if (!reference.has(`source_ids_${i}`)) return { ids: numbers(`input_ids_${i}`), targets };
    return { ids: numbers(`target_ids_${i}`), targets, source: numbers(`source_ids_${i}`) };
  });
}

describe.each(availableBackends)("gradients as PyTorch's on %s", (backendName) => {
  test("there are cases", () => expect(cases).toHaveLength(8));

  test.each(cases)("$name, $setting", async ({ name, setting }) => {
    const expected = await readFixture(name, setting);
    const sequences = await sequencesOf(name, expected);
    const backend = await createBackend({ backend: backendName });
    {
      using training = await CompiledTraining.open(join(fixtures, name), backend, sequences, settings[setting]);
      const counted = sequences.flatMap(({ targets = [] }) => targets).filter((target) => target >= 0).length;
      training.run(sequences, 1 / counted);
      const losses = training.floats(training.graph.losses);
      const loss = losses.reduce((sum, value) => sum + value, 0) / counted;
      const [wanted] = expected.get("loss")!;
      expect(Math.abs(loss - wanted!) / wanted!).toBeLessThan(tolerance);
      await checkGradients(training, expected);
    }
    await backend.dispose();
  });
});

async function checkGradients(training: CompiledTraining, expected: ReadonlyMap<string, Float32Array>): Promise<void> {
  const published = training.model.contents(training.gradients).tensors;
  const compared = new Set<string>();
  for (const tensor of published) {
    const wanted = expected.get(tensor.name);
    if (wanted === undefined) continue;
    const gradient = await readTensorFloats(tensor);
    const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const error = wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - gradient[i]!)), 0);
    // Keys' biases add the same to every score of a query, so their gradient is nothing but rounding.
    if (largest > 1e-9) expect(error / largest, tensor.name).toBeLessThan(tolerance);
    else expect(error, tensor.name).toBeLessThan(1e-6);
    compared.add(tensor.name);
  }
  const gradients = [...expected.keys()].filter((key) => key !== "loss" && !key.startsWith("targets_"));
  expect([...compared].sort()).toEqual(gradients.sort());
}
