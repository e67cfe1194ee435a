/** What PyTorch computed from a fixture, and holding a model against it. */
import { join } from "node:path";
import { expect } from "vitest";
import { readSafetensors, readTensorFloats } from "../../src/formats/index.js";
import { openFileSource } from "../../src/formats/index.node.js";
import type { Model } from "../../src/generation/model.js";

/** By which the largest difference of a row of logits is divided: its largest magnitude. */
const tolerance = 1e-4;

/** Tensors of a `reference.safetensors`, by name. */
export type Reference = ReadonlyMap<string, Float32Array>;

export async function readReference(folder: string): Promise<Reference> {
  await using file = await readSafetensors(await openFileSource(join(folder, "reference.safetensors")));
  const entries = [...file.tensors].map(async ([name, tensor]) => [name, await readTensorFloats(tensor)] as const);
  return new Map(await Promise.all(entries));
}

/** LongRoPE's factors follow from the context length that a model is loaded for: short up to the original 32. */
export function contextFor(name: string, reference: Reference, i: number): number | undefined {
  if (name !== "phi3-longrope") return undefined;
  return reference.get(`input_ids_${i}`)!.length > 32 ? 64 : 32;
}

export async function checkLogits(model: Model, reference: Reference, i: number): Promise<void> {
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

export async function checkGreedy(model: Model, reference: Reference): Promise<void> {
  const expected = reference.get("greedy_0");
  if (expected === undefined) return;
  const source = reference.get("greedy_source_0");
  const prompt = reference.get("greedy_prompt_0");
  using session = await model.session(source === undefined ? prompt! : { source });
  expect(await session.take(expected.length)).toEqual(Array.from(expected));
}

/** One token at a time through the cache: the same bits as all at once. */
export async function checkDecode(model: Model, reference: Reference, i: number): Promise<void> {
  const source = reference.get(`source_ids_${i}`);
  const target = Array.from(reference.get(source === undefined ? `input_ids_${i}` : `target_ids_${i}`)!);
  const whole = await model.logits(source === undefined ? target : { source, target });
  const { vocabSize } = model.config;
  // An encoder-decoder session begins with the start token by itself.
  using session = await model.session(source === undefined ? target.slice(0, 1) : { source });
  for (const [row, next] of [...target.slice(1), undefined].entries()) {
    const expected = whole.slice(row * vocabSize, (row + 1) * vocabSize);
    expect(await session.logits(), `token ${row}, decoded`).toEqual(expected);
    if (next !== undefined) await session.step({ token: next });
  }
}
