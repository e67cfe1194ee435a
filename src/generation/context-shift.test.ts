import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomLlama, smallShape } from "../../test/support/random-llama.js";
import { randomModel, storyModel } from "../../test/support/tiny-model.js";
import { ContextFullError } from "../cache/block-table.js";
import { OutOfRangeError, UnknownOptionError, UnsupportedError } from "../core/errors.js";
import { modelFrom } from "../load-model.js";
import { createBackend, loadModel } from "../load-model.node.js";
import type { OpenedCheckpoint } from "../models/checkpoint.js";
import { huggingFaceDialect } from "../models/family.js";
import { ShiftImpossibleError } from "./context-shift.js";
import type { GenerationOptions } from "./generate.js";
import type { Model } from "./model.js";
import type { Session } from "./session.js";

let model: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 96, cache: { positions: 1024 } });
});
afterAll(() => model.dispose());

const prompt = Array.from({ length: 90 }, (_, i) => (i * 37 + 5) % 500);

/** Keys of the first layer of all positions, [position][head · headDim]; they depend on tokens and positions alone. */
async function firstKeys(session: Session, where = model): Promise<number[][]> {
  await session.logits();
  const bytes = await session.save();
  const { headDim, keyValueHeadCount } = where.config.decoder.attention;
  const { blockBytes } = where.engine.network.cache;
  const blocks = Math.ceil(session.length / 16);
  const start = bytes.length - blocks * blockBytes;
  const floats = new Float32Array(bytes.slice(start).buffer);
  return Array.from({ length: session.length }, (_, position) =>
    Array.from({ length: keyValueHeadCount * headDim }, (_, i) => {
      return floats[(Math.floor(position / 16) * blockBytes) / 4 + i * 16 + (position % 16)]!;
    }),
  );
}

describe("a context shift by rotation", () => {
  test.each([
    [4, 16],
    [0, 1],
    [7, 23],
    [16, 32],
    [33, 5],
  ])("keeps %i, discards %i: keys are those of a fresh run, turned analytically", async (keep, discard) => {
    using session = await model.session(prompt);
    await session.logits();
    expect(await session.shift({ keep, discard, method: "rotate" })).toBe(discard);
    expect(session.length).toBe(90 - discard);
    expect(session.tokenIds).toEqual([...prompt.slice(0, keep), ...prompt.slice(keep + discard)]);
    using fresh = await model.session([...session.tokenIds], { cache: { share: false } });
    const [actual, expected] = [await firstKeys(session), await firstKeys(fresh)];
    for (const [position, row] of expected.entries()) {
      for (const [i, key] of row.entries()) expect(actual[position]![i]).toBeCloseTo(key, 4);
    }
  });

  const neighbours = { ...randomLlama(smallShape), dialect: { ...huggingFaceDialect, interleavedRotary: true } };
  test.each<[string, string | OpenedCheckpoint]>([
    ["a part of each head turns", "gpt-neox-parallel"],
    ["a part turns, in windows", "phi3-partial-rotary-window"],
    ["several tables", "gemma3"],
    ["scaled frequencies, with a factor", "llama-rope-yarn"],
    ["keys that were normed", "qwen3-tied"],
    ["neighbours turn together", neighbours],
  ])("whatever the rotation: %s", async (_, source) => {
    const backend = await createBackend();
    const other =
      typeof source === "string"
        ? await loadModel(`test/parity/fixtures/${source}`)
        : await modelFrom(source, backend, {}, async () => {});
    try {
      const length = Math.min(other.contextLength, 60) - 1;
      const ids = Array.from({ length }, (_, i) => (i * 5 + 3) % other.config.vocabSize);
      using session = await other.session(ids, { cache: { share: false } });
      await session.logits();
      await session.shift({ keep: 3, discard: 11, method: "rotate" });
      using fresh = await other.session([...session.tokenIds], { cache: { share: false } });
      const [actual, expected] = [await firstKeys(session, other), await firstKeys(fresh, other)];
      for (const [position, row] of expected.entries()) {
        for (const [i, key] of row.entries()) expect(actual[position]![i]).toBeCloseTo(key, 4);
      }
    } finally {
      await other.dispose();
      await backend.dispose();
    }
  });

  test("does not disturb forks, nor those who find its beginning again", async () => {
    using session = await model.session(prompt);
    const expected = (await session.logits()).slice();
    using fork = session.fork();
    await session.shift({ keep: 3, discard: 10 });
    await session.take(5);
    fork.rewind(1);
    fork.extend([prompt[89]!]);
    expect((await fork.logits()).slice()).toEqual(expected);
    using again = await model.session(prompt);
    expect((await again.logits()).slice()).toEqual(expected);
    using shifted = await model.session([...session.tokenIds]);
    using fresh = await model.session([...session.tokenIds], { cache: { share: false } });
    expect((await shifted.logits()).slice()).toEqual((await fresh.logits()).slice());
  });

  test("has a divergence that can be measured; recomputing has none", async () => {
    using session = await model.session(prompt);
    expect(await session.shiftDivergence()).toEqual({ klDivergence: 0, sameLikeliest: true });
    using other = session.fork();
    await session.shift({ keep: 4, discard: 40, method: "rotate" });
    const { klDivergence } = await session.shiftDivergence();
    expect(klDivergence).toBeGreaterThan(1e-6);
    expect(klDivergence).toBeLessThan(1);
    await other.shift({ keep: 4, discard: 40, method: "recompute" });
    expect(await other.shiftDivergence()).toEqual({ klDivergence: 0, sameLikeliest: true });
    session.rewind(session.length - 4);
    session.extend(prompt.slice(0, 20));
    expect((await session.shiftDivergence()).klDivergence).toBe(0);
  });

  test("is not kept for others, and is saved as what it is", async () => {
    using session = await model.session(prompt);
    await session.logits();
    await session.shift({ keep: 4, discard: 40, method: "rotate" });
    const expected = (await session.logits()).slice();
    using restored = await model.restore(await session.save());
    expect((await restored.logits()).slice()).toEqual(expected);
    expect((await restored.shiftDivergence()).klDivergence).toBeGreaterThan(1e-6);
    expect(restored.discarded).toBe(40);
    expect(await restored.take(60).catch((error: unknown) => error)).toBeInstanceOf(ContextFullError);
  });
});

describe("a session that shifts", () => {
  test.each(["rotate", "recompute"] as const)("goes on without end: %s", async (method) => {
    const sampling = { temperature: 1, seed: 5 };
    using session = await model.session(prompt.slice(0, 60), { sampling, contextShift: { keep: 4, method } });
    await session.take(300);
    expect(session.discarded).toBeGreaterThan(200);
    expect(session.length + session.discarded).toBe(360);
    expect(session.tokenIds.slice(0, 4)).toEqual(prompt.slice(0, 4));
    expect(session.room).toBeGreaterThanOrEqual(-1);
    if (method === "recompute") {
      using fresh = await model.session([...session.tokenIds], { cache: { share: false } });
      expect((await session.logits()).slice()).toEqual((await fresh.logits()).slice());
    }
  });

  test("takes steps at once between shifts, to the same tokens", async () => {
    const options = { contextShift: { keep: 4, discard: 8 } };
    using waiting = await model.session(prompt, options);
    using hurried = await model.session(prompt, options);
    const expected = await waiting.take(60);
    const tokens: number[] = [];
    for (let i = 0; i < 60; i++) tokens.push((hurried.stepNow() ?? (await hurried.step())).token);
    expect(tokens).toEqual(expected);
  });

  test("reads a prompt that is longer than the context", async () => {
    const long = Array.from({ length: 500 }, (_, i) => (i * 7) % 500);
    using session = await model.session(long, { contextShift: { keep: 10, discard: 50 } });
    await session.step();
    expect(session.tokenIds.slice(0, 10)).toEqual(long.slice(0, 10));
    expect(session.tokenIds.slice(10, -1)).toEqual(long.slice(500 - (session.length - 11)));
    expect(session.room).toBeGreaterThanOrEqual(0);
  });

  test("draws no number twice", async () => {
    const sampling = { temperature: 1, seed: 5 };
    using session = await model.session(prompt, { sampling, contextShift: { keep: 0, method: "recompute" } });
    await session.take(20);
    using fresh = await model.session([...session.tokenIds], { sampling });
    // The same distribution, another random number: the place counts what was discarded.
    expect((await fresh.logits()).slice()).toEqual((await session.logits()).slice());
    expect(await fresh.take(8)).not.toEqual(await session.take(8));
  });

  test.each(["rotate", "recompute"] as const)("with proposals gives what it gives without: %s", async (method) => {
    const options = { maxTokens: 150, contextShift: { keep: 4, discard: 30, method } };
    const tokens = async (more: GenerationOptions) => {
      const all: number[] = [];
      for await (const { token } of model.generate(prompt, { ...options, ...more })) all.push(token);
      return all;
    };
    const lookup = { shortest: 1 };
    expect(await tokens({ speculation: { lookup, adaptive: false } })).toEqual(await tokens({}));
  });

  test("a constraint counts what was discarded", async () => {
    const stories = await storyModel({ contextLength: 32 });
    try {
      const constraint = { regex: "( the cat){30}" };
      using session = await stories.session("Once upon", { constraint, contextShift: { keep: 1, discard: 5 } });
      let text = "";
      while (!session.constraint!.isComplete) text += (await session.step()).text;
      expect(text).toBe(" the cat".repeat(30));
      expect(session.discarded).toBeGreaterThan(0);
    } finally {
      await stories.dispose();
    }
  });

  test("generate does not stop for it", async () => {
    const tokens: number[] = [];
    for await (const step of model.generate(prompt, { maxTokens: 100, contextShift: {} })) tokens.push(step.token);
    expect(tokens.length).toBe(100);
    expect(model.engine.pool.used).toBe(0);
  });
});

describe("what cannot be shifted", () => {
  test("keeping so much that nothing can be discarded", async () => {
    await expect(model.session(prompt, { contextShift: { keep: 96 } })).rejects.toThrow(ShiftImpossibleError);
    await expect(model.session(prompt, { contextShift: { keep: 50, discard: 46 } })).rejects.toThrow(
      ShiftImpossibleError,
    );
    await expect(model.session(prompt, { contextShift: { keep: -1 } })).rejects.toThrow(OutOfRangeError);
    await expect(model.session(prompt, { contextShift: { kept: 1 } as never })).rejects.toThrow(UnknownOptionError);
    using session = await model.session([1, 2, 3, 4, 5]);
    await expect(session.shift({ keep: 4 })).rejects.toThrow(ShiftImpossibleError);
    expect(session.length).toBe(5);
  });

  test("turning keys of learned positions; they are recomputed", async () => {
    const gpt2 = await loadModel("test/parity/fixtures/gpt2");
    try {
      const contextShift = { keep: 1, method: "rotate" as const };
      await expect(gpt2.session([1, 2], { contextShift })).rejects.toThrow(UnsupportedError);
      const context = gpt2.contextLength;
      using session = await gpt2.session([1, 2, 3], { contextShift: { keep: 1 } });
      await session.take(context + 5);
      using fresh = await gpt2.session([...session.tokenIds]);
      expect((await session.logits()).slice()).toEqual((await fresh.logits()).slice());
    } finally {
      await gpt2.dispose();
    }
  });
});
