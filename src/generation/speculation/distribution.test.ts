/** What is drawn with a draft has the target's distribution. */
import { describe, expect, test } from "vitest";
import { randomLlama, smallShape } from "../../../test/support/random-llama.js";
import { modelFrom } from "../../load-model.js";
import { createBackend } from "../../load-model.node.js";
import type { Model } from "../model.js";
import { acceptOrRedraw, type Distribution, drawFrom, expectedTokens, probabilityOf } from "./acceptance.js";
import type { SpeculationOptions } from "./options.js";

function distribution(masses: Record<number, number>): Distribution {
  const sum = Object.values(masses).reduce((a, b) => a + b, 0);
  const ids = Int32Array.from(Object.keys(masses).map(Number));
  return { ids, probabilities: Float64Array.from(Object.values(masses), (mass) => mass / sum) };
}

const target = distribution({ 0: 5, 2: 3, 3: 1, 4: 0.5, 6: 0.01, 7: 2 });

type Uniform = () => number;

/** A quick source of numbers in [0, 1): a counter, well stirred. */
function uniforms(seed: number): Uniform {
  let state = Math.imul(seed, 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("accepting or drawing again", () => {
  test.each([
    ["a draft that is near", distribution({ 0: 4, 2: 4, 3: 1, 4: 0.4, 7: 2 })],
    ["a draft that knows nothing", distribution({ 0: 1, 1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1 })],
    ["a draft that is always wrong", distribution({ 1: 1, 5: 3 })],
    ["the target as its draft", target],
    ["a token without probabilities, often right", distribution({ 0: 1 })],
    ["a token without probabilities, seldom right", distribution({ 6: 1 })],
    ["a token that cannot be", distribution({ 5: 1 })],
  ])("leaves the target's distribution: %s", (_, draft) => {
    const draws = 1_000_000;
    const [propose, accept, redraw] = [1, 2, 3].map(uniforms) as [Uniform, Uniform, Uniform];
    const counts = new Float64Array(8);
    let accepted = 0;
    for (let i = 0; i < draws; i++) {
      const token = drawFrom(draft, propose());
      const result = acceptOrRedraw(target, { token, from: draft }, accept(), redraw());
      counts[result]!++;
      if (result === token) accepted++;
    }
    const distance = counts.reduce(
      (sum, count, id) => sum + Math.abs(count / draws - probabilityOf(target, id)) / 2,
      0,
    );
    expect(distance).toBeLessThan(0.005);
    // Accepted is Σ min(p, q).
    const overlap = counts.reduce(
      (sum, __, id) => sum + Math.min(probabilityOf(target, id), probabilityOf(draft, id)),
      0,
    );
    expect(Math.abs(accepted / draws - overlap)).toBeLessThan(0.003);
  });

  test("expected tokens of a pass are the sum of the geometric series", () => {
    expect(expectedTokens(0.8, 3)).toBeCloseTo(1 + 0.8 + 0.64 + 0.512, 12);
    expect(expectedTokens(1, 5)).toBe(6);
    expect(expectedTokens(0, 5)).toBe(1);
  });
});

describe("completions that are drawn with speculation", () => {
  const prompt = [5, 17, 300];
  const topK = 3;

  async function randomModel(seed: number): Promise<Model> {
    const backend = await createBackend({ threads: 1 });
    const options = { contextLength: 64, cache: { positions: 256 } };
    return modelFrom(randomLlama(smallShape, "f32", seed), backend, options, () => backend.dispose());
  }

  /** P of every completion of `length` tokens, by its ids. */
  async function exact(model: Model, length: number): Promise<Map<string, number>> {
    let all = new Map<string, number>([["", 1]]);
    for (let i = 0; i < length; i++) {
      const longer = new Map<string, number>();
      for (const [ids, probability] of all) {
        const before = ids === "" ? [] : ids.split(",").map(Number);
        using session = await model.session([...prompt, ...before]);
        const logits = [...(await session.logits())].map((z, id) => [z, id] as const);
        const best = logits.sort(([a], [b]) => b - a).slice(0, topK);
        const sum = best.reduce((total, [z]) => total + Math.exp(z), 0);
        for (const [z, id] of best) longer.set([...before, id].join(","), (probability * Math.exp(z)) / sum);
      }
      all = longer;
    }
    return all;
  }

  test("χ² of 1,000 completions against the product of the model's probabilities", async () => {
    await using model = await randomModel(1);
    await using draft = await randomModel(2);
    const expected = await exact(model, 3);
    const kinds: SpeculationOptions[] = [
      { draft, tokens: 2 },
      { draft: model, tokens: 1 },
      { lookup: { shortest: 1 } },
    ];
    for (const [kind, speculation] of kinds.entries()) {
      const counts = new Map<string, number>();
      for (let seed = 0; seed < 1000; seed++) {
        const tokens: number[] = [];
        const sampling = { temperature: 1, topK, seed: 10_000 * kind + seed };
        const options = { maxTokens: 3, sampling, speculation: { ...speculation, adaptive: false } };
        for await (const step of model.generate(prompt, options)) tokens.push(step.token);
        counts.set(tokens.join(","), (counts.get(tokens.join(",")) ?? 0) + 1);
      }
      let statistic = 0;
      for (const [ids, probability] of expected) {
        statistic += ((counts.get(ids) ?? 0) - 1000 * probability) ** 2 / (1000 * probability);
      }
      expect([...counts.keys()].every((ids) => expected.has(ids))).toBe(true);
      // 26 degrees of freedom: the 99.9 % quantile is 54.1.
      expect(statistic, JSON.stringify(Object.keys(speculation))).toBeLessThan(54.1);
    }
  });
});
