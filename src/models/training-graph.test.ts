/** Training's forward pass is generation's, whatever shares a run; its options change what they say and nothing else. */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readReference } from "../../test/parity/reference.js";
import { availableBackends } from "../../test/support/backends.js";
import { CompiledTraining, type TrainingSequence } from "../../test/support/training.js";
import type { Backend } from "../backends/backend.js";
import { referenceBackend } from "../backends/conformance/conformance.js";
import { OutOfRangeError, UnknownOptionError } from "../core/errors.js";
import type { Products } from "../graph/operation.js";
import { planGraph } from "../graph/plan.js";
import { createBackend } from "../load-model.node.js";
import type { TrainingGraphOptions } from "./training-graph.js";

const fixtures = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "test", "parity", "fixtures");
/** LongRoPE's factors follow from how a model is loaded; the others are trained on as they are. */
const names = readdirSync(fixtures, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !["stories-tiny", "phi3-longrope"].includes(entry.name))
  .map(({ name }) => name);

/** The inputs of a fixture, with what PyTorch computed from each alone. */
async function inputsOf(name: string) {
  const reference = await readReference(join(fixtures, name));
  const count = [...reference.keys()].filter((key) => /^logits_\d+$/.test(key)).length;
  const numbers = (key: string) => Array.from(reference.get(key)!);
  return Array.from({ length: count }, (_, i) => {
    const translates = reference.has(`source_ids_${i}`);
    const ids = numbers(translates ? `target_ids_${i}` : `input_ids_${i}`);
    const sequence: TrainingSequence = { ids, source: translates ? numbers(`source_ids_${i}`) : undefined };
    return { sequence, logits: reference.get(`logits_${i}`)! };
  });
}

describe("the training graph", () => {
  test.each(names)("packs sequences that do not see each other: %s", async (name) => {
    const inputs = await inputsOf(name);
    const sequences = inputs.map(({ sequence }) => sequence);
    using training = await CompiledTraining.open(join(fixtures, name), referenceBackend, sequences, {
      evaluation: true,
    });
    training.run(sequences);
    const logits = training.floats(training.graph.logits);
    const expected = inputs.flatMap((input) => [...input.logits]);
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(logits.length).toBe(expected.length);
    expect(logits.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0)).toBeLessThan(
      1e-5 * largest,
    );
  });

  /** Losses and gradients of a fixture whose inputs predict their own next ids. */
  async function gradientsOf(
    name: string,
    options: TrainingGraphOptions,
    backend: Backend = referenceBackend,
    products: Products = "f32",
  ) {
    const sequences = (await inputsOf(name)).map(({ sequence }) => ({
      ...sequence,
      targets: [...sequence.ids.slice(1), -1],
    }));
    using training = await CompiledTraining.open(join(fixtures, name), backend, sequences, options, products);
    training.run(sequences);
    const { graph } = training;
    return {
      losses: training.floats(graph.losses).slice(),
      gradients: new Map([...training.gradients].map(([parameter, { data }]) => [parameter, data.slice()])),
      plan: planGraph([graph.losses, ...graph.accumulations]),
    };
  }

  describe.each(availableBackends)("computes blocks again to the bit on %s", (backendName) => {
    test.each(["gpt2", "gemma2", "marian", "t5-gated-gelu-untied"])("in less memory: %s", async (name) => {
      const backend = await createBackend({ backend: backendName });
      const options = { dropout: 0.3, labelSmoothing: 0.1 };
      for (const products of ["f32", "bf16"] as const) {
        const kept = await gradientsOf(name, options, backend, products);
        const again = await gradientsOf(name, { ...options, recompute: true }, backend, products);
        expect(again.losses).toEqual(kept.losses);
        expect(again.gradients).toEqual(kept.gradients);
        expect(again.plan.nodes.length).toBeGreaterThan(kept.plan.nodes.length);
        expect(again.plan.arenaBytes).toBeLessThan(kept.plan.arenaBytes);
      }
      await backend.dispose();
    });
  });

  test("dropout changes the losses, and evaluation knows no dropout", async () => {
    const [plain, dropped] = [await gradientsOf("gpt2", {}), await gradientsOf("gpt2", { dropout: 0.3 })];
    const evaluated = await gradientsOf("gpt2", { dropout: 0.3, evaluation: true });
    expect(dropped.losses).not.toEqual(plain.losses);
    expect(evaluated.losses).toEqual(plain.losses);
    expect(evaluated.gradients.size).toBe(0);
  });

  test("gives the gradients of those parameters alone that are chosen, and of no table of sines", async () => {
    const chosen = await gradientsOf("gpt2", { trainable: (name) => name.endsWith("norm.weight") });
    const all = await gradientsOf("gpt2", {});
    expect(chosen.gradients.size).toBe(5);
    for (const [name, gradient] of chosen.gradients) expect(gradient, name).toEqual(all.gradients.get(name));
    const marian = await gradientsOf("marian", {});
    expect([...marian.gradients.keys()].filter((name) => name.includes("positions"))).toEqual([]);
  });

  test("refuses options that it does not know, and rates that are none", async () => {
    const options = (wrong: object) => gradientsOf("gpt2", wrong as TrainingGraphOptions);
    await expect(options({ dropOut: 0.1 })).rejects.toThrow(UnknownOptionError);
    for (const dropout of [1, -0.1, Number.NaN]) await expect(options({ dropout })).rejects.toThrow(OutOfRangeError);
    await expect(options({ labelSmoothing: 1 })).rejects.toThrow(OutOfRangeError);
  });
});
