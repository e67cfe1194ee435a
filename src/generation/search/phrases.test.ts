import { describe, expect, test } from "vitest";
import { parityFixtures } from "../../../test/support/tiny-checkpoint.js";
import { InvalidValueError } from "../../core/errors.js";
import { loadModel } from "../../load-model.node.js";
import { type Phrases, PhrasesMissingError, phrasesOf, type RequiredPhrase } from "./phrases.js";

const made = (...phrases: RequiredPhrase[]): Phrases => phrasesOf(phrases, 100, (text) => [...text].map(Number))!;

describe("phrases", () => {
  test("are had when each has come whole, in any order", () => {
    const phrases = made([1, 2], "3");
    expect(phrases.has([1, 2, 3])).toBe(true);
    expect(phrases.has([9, 3, 9, 1, 2, 9])).toBe(true);
    expect(phrases.has([1, 3, 2])).toBe(false);
    expect(phrases.has([1, 2])).toBe(false);
  });

  test("that are asked for twice come twice", () => {
    expect(made([1], [1]).has([1, 9])).toBe(false);
    expect(made([1], [1]).has([1, 9, 1])).toBe(true);
  });

  test("of several alternatives one is enough", () => {
    const phrases = made({ anyOf: [[1, 2], "34"] });
    expect(phrases.has([3, 4])).toBe(true);
    expect(phrases.has([1, 4])).toBe(false);
    expect(phrases.next([])).toEqual([1, 3]);
    expect(phrases.next([3])).toEqual([4]);
  });

  test("that have begun want their next token and no other phrase's", () => {
    const phrases = made([1, 2], [5]);
    expect(phrases.next([])).toEqual([1, 5]);
    expect(phrases.next([1])).toEqual([2]);
    expect(phrases.next([1, 9])).toEqual([5, 1]);
    expect(phrases.next([1, 2, 5])).toEqual([]);
  });

  test("are refused where they say nothing", () => {
    expect(phrasesOf([], 10, () => [])).toBeUndefined();
    expect(() => made([])).toThrow(InvalidValueError);
    expect(() => made({ anyOf: [] })).toThrow(InvalidValueError);
    expect(() => made({ anyOf: [[1], [1, 2]] })).toThrow(InvalidValueError);
    expect(() => made([100])).toThrow(InvalidValueError);
    expect(() => phrasesOf("text" as unknown as RequiredPhrase[], 10, () => [])).toThrow(InvalidValueError);
  });
});

describe("beam search with phrases", () => {
  test("finds the likeliest of all texts that have them, with enough beams", async () => {
    await using model = await loadModel(`${parityFixtures}/llama-mha-tied`, { backend: "reference" });
    const prompt = [5, 6, 7];
    const options = { maxTokens: 3, stopping: { endIds: false }, mustInclude: [[30], [40, 41]] };
    const best = Array.from({ length: 2 }, (_, first) => (first === 0 ? [30, 40, 41] : [40, 41, 30]));
    const scores = await Promise.all(
      best.map(async (tokens) => {
        const logits = await model.logits([...prompt, ...tokens]);
        const { vocabSize } = model.config;
        return tokens.reduce((sum, token, i) => {
          const row = logits.subarray((prompt.length - 1 + i) * vocabSize, (prompt.length + i) * vocabSize);
          const total = row.reduce((all, z) => all + Math.exp(z), 0);
          return sum + row[token]! - Math.log(total);
        }, 0);
      }),
    );
    const order = scores[0]! > scores[1]! ? [0, 1] : [1, 0];
    const found = await model.beamSearch(prompt, { ...options, beams: 48, count: 2 });
    expect(found.map(({ tokens }) => tokens)).toEqual(order.map((i) => best[i]));
    for (const [i, { logprob }] of found.entries()) expect(logprob).toBeCloseTo(scores[order[i]!]!, 4);
  });

  test("says so where there is no room for them, and refuses what it cannot do", async () => {
    await using model = await loadModel(`${parityFixtures}/llama-mha-tied`, { backend: "reference" });
    const options = { maxTokens: 2, stopping: { endIds: false }, beams: 2 };
    await expect(model.beamSearch([5], { ...options, mustInclude: [[30, 31, 32]] })).rejects.toThrow(
      PhrasesMissingError,
    );
    await expect(model.beamSearch([5], { ...options, mustInclude: [[30]], groups: 2 })).rejects.toThrow(
      InvalidValueError,
    );
    await expect(model.beamSearch([5], { ...options, mustInclude: [[30]], sampling: { seed: 1 } })).rejects.toThrow(
      InvalidValueError,
    );
  });
});
