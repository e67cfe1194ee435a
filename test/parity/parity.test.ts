/** Every family against PyTorch `transformers`: logits of whole prompts and greedy continuations through the cache. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readSafetensors, readTensorFloats } from "../../src/formats/index.js";
import { openFileSource } from "../../src/formats/index.node.js";
import type { Model } from "../../src/generation/model.js";
import { backendNames, loadModel } from "../../src/load-model.node.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "fixtures");
const cases = readdirSync(fixtures, { withFileTypes: true }).filter(
  (entry) => entry.isDirectory() && entry.name !== "stories-tiny",
);
const backends = (process.env.HITHERTO_PARITY_BACKENDS?.split(",") ?? backendNames) as typeof backendNames;

/** By which the largest difference of a row of logits is divided: its largest magnitude. */
const tolerance = 1e-4;

describe.each(backends)("parity with PyTorch on %s", (backend) => {
  test.each(cases.map(({ name }) => name))("%s", async (name) => {
    const reference = await readReference(join(fixtures, name));
    const lengths = [...reference.keys()].filter((key) => /^logits_\d+$/.test(key)).map((key) => Number(key.slice(7)));
    expect(lengths.length).toBeGreaterThan(0);
    for (const i of lengths) {
      await using model = await loadModel(join(fixtures, name), {
        backend,
        contextLength: contextFor(name, reference, i),
      });
      await checkLogits(model, reference, i);
      if (i === 0) await checkGreedy(model, reference);
    }
  });
});

type Reference = ReadonlyMap<string, Float32Array>;

async function readReference(folder: string): Promise<Reference> {
  await using file = await readSafetensors(await openFileSource(join(folder, "reference.safetensors")));
  const entries = [...file.tensors].map(async ([name, tensor]) => [name, await readTensorFloats(tensor)] as const);
  return new Map(await Promise.all(entries));
}

/** LongRoPE's factors follow from the context length that a model is loaded for: short up to the original 32. */
function contextFor(name: string, reference: Reference, i: number): number | undefined {
  if (name !== "phi3-longrope") return undefined;
  return reference.get(`input_ids_${i}`)!.length > 32 ? 64 : 32;
}

async function checkLogits(model: Model, reference: Reference, i: number): Promise<void> {
  const source = reference.get(`source_ids_${i}`);
  const target = reference.get(source === undefined ? `input_ids_${i}` : `target_ids_${i}`)!;
  const actual = await model.logits(source === undefined ? target : { source, target });
  const { vocabSize } = model.config;
  const expected = reference.get(`logits_${i}`)!;
  expect(actual.length).toBe(expected.length);
  for (let row = 0; row < target.length; row++) {
    const [a, e] = [actual, expected].map((all) => all.subarray(row * vocabSize, (row + 1) * vocabSize));
    expect(relativeDifference(a!, e!), `logits_${i}, token ${row}`).toBeLessThan(tolerance);
  }
}

function relativeDifference(actual: Float32Array, expected: Float32Array): number {
  const magnitude = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / magnitude;
}

async function checkGreedy(model: Model, reference: Reference): Promise<void> {
  const expected = reference.get("greedy_0");
  if (expected === undefined) return;
  const source = reference.get("greedy_source_0");
  const prompt = reference.get("greedy_prompt_0");
  using session = await model.session(source === undefined ? prompt! : { source });
  expect(await session.take(expected.length)).toEqual(Array.from(expected));
}
