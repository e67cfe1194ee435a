import { describe, expect, test } from "vitest";
import { tinyModel } from "../../../test/support/tiny-checkpoint.js";
import { loadModel } from "../../load-model.node.js";
import { chrf } from "../metrics/chrf.js";
import { bestOf, minimumBayesRisk, vote } from "./choose-among.js";

const backend = "reference";

describe.each(["llama-mha-tied", "t5-relu-tied"])("samples of %s", (fixture) => {
  test("are what `generate` gives with their seeds, however many fit beside each other", async () => {
    const path = tinyModel({ fixture });
    await using model = await loadModel(path, { backend });
    await using cramped = await loadModel(path, { backend, contextLength: 48, cache: { positions: 64 } });
    const ids = Array.from({ length: 19 }, (_, i) => 3 + ((i * 7) % 50));
    const prompt = model.config.kind === "decoder-only" ? ids : { source: ids };
    const choice = { sampling: { temperature: 0.9, topK: 30, seed: 5 }, penalties: { presencePenalty: 1 } };
    const options = { ...choice, maxTokens: 9, stopping: { tokenIds: [9, 12, 20, 30, 41] } };
    const samples = await model.sample(prompt, { ...options, count: 7 });
    expect(samples).toHaveLength(7);
    for (const [i, { tokens, text, logprob, score, stop }] of samples.entries()) {
      const expected: number[] = [];
      let [sum, shown] = [0, ""];
      const sampling = { ...choice.sampling, seed: 5 + i };
      for await (const step of model.generate(prompt, { ...options, sampling })) {
        expected.push(step.token);
        sum += step.logprob;
        shown += step.text;
        if (step.stop !== undefined) expect(stop).toEqual(step.stop);
      }
      expect([tokens, text]).toEqual([expected, shown]);
      expect(logprob).toBeCloseTo(sum, 6);
      expect(score).toBeCloseTo(sum / expected.length, 6);
    }
    expect(new Set(samples.map(({ tokens }) => tokens.join())).size).toBeGreaterThan(3);
    expect(await cramped.sample(prompt, { ...options, count: 7 })).toEqual(samples);
    expect([model.engine.pool.used, cramped.engine.pool.used]).toEqual([0, 0]);
  });
});

describe("samples", () => {
  test("go through processors of one's own, and are refused what makes no sense", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    const even = { name: "even", process: async (z: Float32Array) => z.map((each, id) => (id % 2 ? -Infinity : each)) };
    const samples = await model.sample("ab", { count: 3, maxTokens: 5, processors: [even] });
    expect(samples.flatMap(({ tokens }) => tokens).every((token) => token % 2 === 0)).toBe(true);
    const reason = new Error("enough");
    const aborted = { signal: AbortSignal.abort(reason) };
    await expect(model.sample("ab", aborted)).rejects.toBe(reason);
    await expect(model.sample("ab", { count: 0 })).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(model.sample("ab", { n: 3 } as object)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
    expect(model.engine.pool.used).toBe(0);
  });
});

describe("choosing among completions", () => {
  const texts = ["the cat sat", "a cat sat", "the cat sat down", "dogs", "the cat sat"];
  const hypotheses = texts.map((text, i) => ({ text, score: [-3, -1, -2, -1, -4][i]! }));

  test("best of n takes the largest value, the first of equal ones", () => {
    expect(bestOf(hypotheses)).toBe(hypotheses[1]);
    expect(bestOf(hypotheses, ({ text }) => text.length)).toBe(hypotheses[2]);
    expect(() => bestOf([])).toThrow("at least one");
  });

  test("a vote counts answers", () => {
    const votes = vote(hypotheses, (text) => text.match(/\b(cat|dog)/)?.[1]);
    expect(votes.map(({ answer, hypotheses: those }) => [answer, those.length])).toEqual([
      ["cat", 4],
      ["dog", 1],
    ]);
    expect(vote(hypotheses)[0]).toEqual({ answer: "the cat sat", hypotheses: [hypotheses[0], hypotheses[4]] });
  });

  test("minimum Bayes risk takes the one with the largest mean utility against all others", () => {
    const overlap = (a: string, b: string) => a.split(" ").filter((word) => b.split(" ").includes(word)).length;
    const mean = texts.map((a, i) => texts.reduce((sum, b, j) => (i === j ? sum : sum + overlap(a, b)), 0));
    expect(minimumBayesRisk(hypotheses, overlap)).toBe(hypotheses[mean.indexOf(Math.max(...mean))]);
    const near = texts.map((a, i) => texts.reduce((sum, b, j) => (i === j ? sum : sum + chrf([a], [b]).score), 0));
    expect(minimumBayesRisk(hypotheses)).toBe(hypotheses[near.indexOf(Math.max(...near))]);
  });
});
