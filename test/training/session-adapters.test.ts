/** Adapters beside a loaded model: some sessions have one, others another or none, all over the same weights. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { DisposedError } from "../../src/core/errors.js";
import type { Model } from "../../src/generation/model.js";
import { loadAdapter, loadModel } from "../../src/load-model.node.js";
import { availableBackends } from "../support/backends.js";

const here = dirname(fileURLToPath(import.meta.url));
const base = (name: string) => join(here, "..", "parity", "fixtures", name);
const adapterOf = (name: string) => join(here, "adapters", name);
const bases = ["gpt2", "llama-gqa-sharded", "phi3"];
const prompt = [3, 1, 4, 1, 5];

async function tokens(model: Model, options: Parameters<Model["session"]>[1] = {}): Promise<number[]> {
  using session = await model.session(prompt, options);
  return await session.take(12);
}

async function lastLogits(model: Model, options: Parameters<Model["session"]>[1] = {}): Promise<Float32Array> {
  using session = await model.session(prompt, options);
  return (await session.logits()).slice();
}

describe.each(availableBackends)("adapters of sessions on %s", (backend) => {
  test.each(bases)("beside %s give what they give merged, and leave other sessions as they are", async (name) => {
    await using model = await loadModel(base(name), { backend });
    await using merged = await loadModel(base(name), { backend, adapter: adapterOf(name) });
    const plain = await tokens(model);
    using adapter = await loadAdapter(model, adapterOf(name));
    const [beside, into, without] = await Promise.all([
      lastLogits(model, { adapter }),
      lastLogits(merged),
      lastLogits(model),
    ]);
    const largest = into.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    expect(Math.max(...beside.map((each, i) => Math.abs(each - into[i]!))) / largest).toBeLessThan(1e-4);
    expect(beside).not.toEqual(without);
    expect(await tokens(model)).toEqual(plain);
  });

  test("sessions with and without one take turns, are forked and switched, and stay exact", async () => {
    await using model = await loadModel(base("gpt2"), { backend });
    using adapter = await loadAdapter(model, adapterOf("gpt2"));
    const plain = await tokens(model);
    const adapted = await tokens(model, { adapter });
    using one = await model.session(prompt);
    using other = await model.session(prompt, { adapter });
    const [a, b]: number[][] = [[], []];
    for (let i = 0; i < 6; i++) {
      a!.push((await one.step()).token);
      b!.push((await other.step()).token);
    }
    using fork = other.fork();
    expect(fork.adapter).toBe(adapter);
    b!.push(...(await fork.take(6)));
    expect(a).toEqual(plain.slice(0, 6));
    expect(b).toEqual(adapted);

    // A timeline that is switched continues as a fresh session on the same tokens would.
    other.useAdapter(undefined);
    using fresh = await model.session([...other.tokenIds]);
    expect((await other.logits()).slice()).toEqual((await fresh.logits()).slice());
    other.useAdapter(adapter);
    expect(await other.take(6)).toEqual(adapted.slice(6));
    expect(other.stepNow()).toBeDefined();
  });
});

test("one call runs sequences of both kinds", async () => {
  await using model = await loadModel(base("gpt2"), { backend: availableBackends[0] });
  using adapter = await loadAdapter(model, adapterOf("gpt2"));
  const { engine } = model;
  const sequences = await Promise.all([engine.sequence(), engine.sequence(), engine.sequence()]);
  sequences[1]!.adapter = adapter;
  const rows: Float32Array[] = [];
  const parts = sequences.map((sequence) => ({ sequence, ids: prompt, outputs: "last" as const }));
  await engine.advance(parts, { onOutput: ({ part, logits }) => (rows[part] = logits.slice()) });
  for (const sequence of sequences) sequence.dispose();
  const [plain, adapted] = [await lastLogits(model), await lastLogits(model, { adapter })];
  expect(rows).toEqual([plain, adapted, plain]);
});

describe("adapters of sessions", () => {
  const backend = availableBackends[0]!;

  test("of another model, an encoder-decoder, or one that is gone are refused", async () => {
    await using model = await loadModel(base("gpt2"), { backend });
    await using other = await loadModel(base("gpt2"), { backend });
    const adapter = await loadAdapter(other, adapterOf("gpt2"));
    await expect(model.session(prompt, { adapter })).rejects.toThrow(/adapter must be one that was loaded beside/);
    await expect(loadAdapter(model, adapterOf("phi3"))).rejects.toThrow(/module must be one of the model's/);
    await using pairs = await loadModel(base("t5-relu-tied"), { backend });
    await expect(loadAdapter(pairs, adapterOf("t5-relu-tied"))).rejects.toThrow(/encoder-decoder/);
    using session = await other.session(prompt, { adapter });
    adapter.dispose();
    adapter.dispose();
    await expect(session.step()).rejects.toThrow(DisposedError);
    session.useAdapter(undefined);
    expect((await session.step()).token).toBeGreaterThanOrEqual(0);
    expect(other.engine.pool.used).toBeGreaterThan(0);
  });
});
