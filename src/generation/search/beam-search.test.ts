import { beforeAll, describe, expect, test } from "vitest";
import { tinyModel } from "../../../test/support/tiny-checkpoint.js";
import { loadModel } from "../../load-model.node.js";
import type { Model } from "../model.js";
import type { BeamSearchOptions } from "./options.js";

const backend = "reference";
const prompts = Array.from({ length: 9 }, (_, i) =>
  Array.from({ length: 3 + i }, (_, j) => 3 + ((7 * i + 5 * j) % 60)),
);
const stopping = { endIds: false, tokenIds: [9, 12, 20, 30, 41, 50] };
const options = { beams: 3, count: 3, maxTokens: 8, stopping };

describe.each(["llama-mha-tied", "t5-relu-tied"])("beam search with %s", (fixture) => {
  let path: string;
  const promptOf = (model: Model, ids: number[]) => (model.config.kind === "decoder-only" ? ids : { source: ids });

  beforeAll(() => {
    path = tinyModel({ fixture });
  });

  test.each([true, false] as const)("one beam is greedy decoding (early stopping %s)", async (earlyStopping) => {
    await using model = await loadModel(path, { backend });
    for (const ids of prompts) {
      const greedy: number[] = [];
      let logprob = 0;
      const run = { maxTokens: 8, stopping };
      for await (const step of model.generate(promptOf(model, ids), run)) {
        greedy.push(step.token);
        logprob += step.logprob;
      }
      const [best] = await model.beamSearch(promptOf(model, ids), { ...run, beams: 1, earlyStopping });
      expect(best!.tokens).toEqual(greedy);
      expect(best!.logprob).toBeCloseTo(logprob, 4);
    }
  });

  test("with as many beams as there are continuations, finds the best of all", async () => {
    await using model = await loadModel(path, { backend });
    const { vocabSize } = model.config;
    const found = await model.beamSearch(promptOf(model, prompts[1]!), {
      beams: vocabSize,
      count: 5,
      maxTokens: 2,
      lengthPenalty: 0,
      earlyStopping: "never",
      stopping,
    });
    const all: { tokens: number[]; logprob: number }[] = [];
    using session = await model.session(promptOf(model, prompts[1]!));
    for (let first = 0; first < vocabSize; first++) {
      using branch = session.fork();
      const { logprob } = await branch.step({ token: first });
      if (stopping.tokenIds.includes(first)) all.push({ tokens: [first], logprob });
      for (let second = 0; second < vocabSize && !stopping.tokenIds.includes(first); second++) {
        const step = await branch.step({ token: second });
        all.push({ tokens: [first, second], logprob: logprob + step.logprob });
        branch.rewind(1);
      }
    }
    all.sort((a, b) => b.logprob - a.logprob);
    expect(found.map(({ tokens }) => tokens)).toEqual(all.slice(0, 5).map(({ tokens }) => tokens));
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(all[i]!.logprob, 4);
  });

  test("a prompt's hypotheses are the same to the bit alone, among others, and where the cache has room for few", async () => {
    await using model = await loadModel(path, { backend });
    const together = await model.beamSearchAll(
      prompts.map((ids) => promptOf(model, ids)),
      options,
    );
    await using cramped = await loadModel(path, { backend, contextLength: 32, cache: { positions: 112 } });
    const pressed = await cramped.beamSearchAll(
      prompts.map((ids) => promptOf(model, ids)),
      options,
    );
    expect(pressed).toEqual(together);
    for (const [i, ids] of prompts.entries()) {
      expect(await model.beamSearch(promptOf(model, ids), options)).toEqual(together[i]);
    }
    expect(new Set(together.flat().map(({ tokens }) => tokens.length)).size).toBeGreaterThan(2);
    expect([model.engine.pool.used, cramped.engine.pool.used]).toEqual([0, 0]);
  });

  test("an abort signal ends it, and everything is freed", async () => {
    await using model = await loadModel(path, { backend });
    const stop = new AbortController();
    const reason = new Error("enough");
    const seen: number[] = [];
    const onProgress = (done: number) => {
      seen.push(done);
      stop.abort(reason);
    };
    const all = [...prompts, ...prompts, ...prompts].map((ids) => promptOf(model, ids));
    await expect(model.beamSearchAll(all, { ...options, signal: stop.signal, onProgress })).rejects.toBe(reason);
    expect(seen.length).toBeLessThan(all.length);
    expect(model.engine.pool.used).toBe(0);
  });
});

describe("beam search", () => {
  test("ends where the context is full, and gives text and reasons", async () => {
    await using model = await loadModel(tinyModel(), { backend, contextLength: 16 });
    const [best] = await model.beamSearch("Hello there", { beams: 2, stopping: { endIds: false } });
    expect(best!.tokens).toHaveLength(5);
    expect(best!.stop).toEqual({ kind: "contextLength" });
    expect(best!.text).toBe(model.tokenizer.decode(best!.tokens));
    expect(best!.score).toBeCloseTo(best!.logprob / 5, 9);
    const [ended] = await model.beamSearch("Hello", { beams: 2, stopping: { tokenIds: [best!.tokens[0]!] } });
    if (ended!.stop.kind === "token") expect(ended!.text).toBe(model.tokenizer.decode(ended!.tokens.slice(0, -1)));
  });

  test("GNMT's length penalty divides by ((5 + L) / 6)^α", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    for (const { tokens, score, logprob } of await model.beamSearch(prompts[3]!, {
      ...options,
      lengthPenalty: { gnmt: 0.7 },
    })) {
      expect(score).toBeCloseTo(logprob / ((5 + tokens.length) / 6) ** 0.7, 9);
    }
  });

  test("refuses what makes no sense", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    const refuse = (bad: object, code: string) =>
      expect(model.beamSearch("a", bad as BeamSearchOptions)).rejects.toMatchObject({ code });
    await refuse({ width: 3 }, "UNKNOWN_OPTION");
    await refuse({ stopping: { strings: ["x"] } }, "UNKNOWN_OPTION");
    await refuse({ lengthPenalty: { alpha: 1 } }, "UNKNOWN_OPTION");
    await refuse({ lengthPenalty: Number.NaN }, "OUT_OF_RANGE");
    await refuse({ beams: 0 }, "OUT_OF_RANGE");
    await refuse({ beams: 2, count: 3 }, "OUT_OF_RANGE");
    await refuse({ beams: 4, groups: 3 }, "INVALID_VALUE");
    await refuse({ beams: 4, groups: 2, diversityPenalty: -1 }, "OUT_OF_RANGE");
    await refuse({ tokens: { minTokens: 4 } }, "UNKNOWN_OPTION");
    await refuse({ earlyStopping: "always" }, "INVALID_VALUE");
    await refuse({ tokens: { badWords: [[1, 67]] } }, "INVALID_VALUE");
    const everything = Array.from({ length: 67 }, (_, id) => [id]);
    await refuse({ tokens: { badWords: everything } }, "NO_CONTINUATION");
    await expect(model.beamSearch(Array.from({ length: 97 }, () => 5))).rejects.toMatchObject({ code: "CONTEXT_FULL" });
    await using small = await loadModel(tinyModel(), { backend, cache: { positions: 48 } });
    await expect(small.beamSearch(prompts[8]!, { beams: 5, maxTokens: 20 })).rejects.toMatchObject({
      code: "CACHE_FULL",
    });
    expect([model.engine.pool.used, small.engine.pool.used]).toEqual([0, 0]);
  });

  test("processors see every beam's own text", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    const tokens = { prefixAllowedTokens: (ids: readonly number[]) => [ids.length, ids.length + 1, 60] };
    const found = await model.beamSearch([3, 4, 5], { beams: 4, count: 4, maxTokens: 3, stopping, tokens });
    for (const hypothesis of found) {
      for (const [i, token] of hypothesis.tokens.entries()) expect([3 + i, 4 + i, 60]).toContain(token);
    }
    const never = {
      name: "never 60",
      process: async (z: Float32Array) => z.map((each, id) => (id === 60 ? -Infinity : each)),
    };
    const options = { beams: 4, count: 4, maxTokens: 3, stopping, tokens, processors: [never] };
    const without = await model.beamSearch([3, 4, 5], options);
    expect(without.flatMap((hypothesis) => hypothesis.tokens)).not.toContain(60);
    const dead = { prefixAllowedTokens: (ids: readonly number[]) => (ids.at(-1) === 20 ? [] : [20, 21]) };
    const [only] = await model.beamSearch([3], { beams: 2, maxTokens: 3, stopping: { endIds: false }, tokens: dead });
    expect(only!.tokens.slice(0, -1)).toEqual([21, 21]);
  });

  test("groups of beams differ, by a penalty on what earlier groups have just chosen", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    const prompt = prompts[4]!;
    const run = { maxTokens: 6, stopping: { endIds: false } };
    const alone = await model.beamSearch(prompt, { ...run, beams: 2, count: 2 });
    const together = { ...run, beams: 6, count: 6, groups: 3 };
    const apart = await model.beamSearch(prompt, { ...together, diversityPenalty: 0 });
    const first = new Set(alone.map(({ tokens }) => tokens.join()));
    expect(apart.map(({ tokens }) => tokens.join())).toHaveLength(6);
    for (const { tokens } of apart) expect(first).toContain(tokens.join());
    const diverse = await model.beamSearch(prompt, { ...together, diversityPenalty: 50 });
    expect(new Set(diverse.map(({ tokens }) => tokens.join())).size).toBe(6);
    // A penalty of 50 outweighs every logit, so no group takes a token that an earlier one has just taken.
    const beginnings = diverse.map(({ tokens }) => tokens[0]);
    expect(new Set(beginnings).size).toBeGreaterThanOrEqual(3);
    expect(diverse.map(({ tokens }) => tokens.join())).toEqual(expect.arrayContaining([...first]));
    expect(model.engine.pool.used).toBe(0);
  });

  test("with sampling, beams are drawn without replacement: by seed, and as often as their probabilities say", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    const [prompt, run] = [[3, 4, 5], { beams: 1, maxTokens: 1, lengthPenalty: 0, stopping: { endIds: false } }];
    const draw = async (seed: number) => {
      const [best] = await model.beamSearch(prompt, { ...run, sampling: { temperature: 0.7, topK: 4, seed } });
      return best!;
    };
    expect(await draw(7)).toEqual(await draw(7));
    const logits = (await model.logits(prompt)).slice(-67);
    const order = Array.from(logits.keys()).sort((a, b) => logits[b]! - logits[a]!);
    const weights = order.slice(0, 4).map((id) => Math.exp(logits[id]! / 0.7));
    const sum = weights.reduce((a, b) => a + b, 0);
    const counts = new Map<number, number>();
    const draws = 600;
    for (let seed = 0; seed < draws; seed++) {
      const { tokens } = await draw(seed);
      counts.set(tokens[0]!, (counts.get(tokens[0]!) ?? 0) + 1);
    }
    expect([...counts.keys()].every((id) => order.slice(0, 4).includes(id))).toBe(true);
    const statistic = weights.reduce((total, weight, i) => {
      const expected = (draws * weight) / sum;
      return total + ((counts.get(order[i]!) ?? 0) - expected) ** 2 / expected;
    }, 0);
    expect(statistic).toBeLessThan(21); // 3 degrees of freedom: beyond it once in 10,000 sets of seeds
  });
});
