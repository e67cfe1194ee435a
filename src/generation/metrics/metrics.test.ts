import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type BleuOptions, bleu } from "./bleu.js";
import { type ChrfOptions, chrf } from "./chrf.js";
import { characterErrorRate, editDistance, pronunciationErrors, wordErrorRate } from "./error-rate.js";

interface Expected {
  readonly metric: "bleu" | "chrf";
  readonly options: BleuOptions & ChrfOptions;
  readonly score: number;
  readonly precisions: number[];
  readonly brevityPenalty: number;
  readonly hypothesisLength: number;
  readonly referenceLength: number;
  readonly signature: string;
}

const { corpora, sacrebleu } = JSON.parse(
  readFileSync(new URL("../../../test/fixtures/metrics/metrics.json", import.meta.url), "utf8"),
) as {
  readonly sacrebleu: string;
  readonly corpora: { name: string; hypotheses: string[]; references: string[][]; scores: Expected[] }[];
};

describe("the numbers of sacreBLEU", () => {
  test.each(corpora)("$name", ({ hypotheses, references, scores }) => {
    expect(scores).toHaveLength(7);
    for (const expected of scores) {
      const { metric, options, score, signature } = expected;
      const actual = (metric === "bleu" ? bleu : chrf)(hypotheses, references, options);
      expect(actual.score, signature).toBeCloseTo(score, 6);
      expect(`${actual.signature}|version:${sacrebleu}`).toBe(signature);
      if (metric === "chrf") continue;
      const { precisions, brevityPenalty, hypothesisLength, referenceLength } = expected;
      expect(actual).toMatchObject({ hypothesisLength, referenceLength });
      const numbers = actual as unknown as Expected;
      expect(numbers.brevityPenalty).toBeCloseTo(brevityPenalty, 9);
      for (const [i, precision] of precisions.entries()) expect(numbers.precisions[i]).toBeCloseTo(precision, 9);
    }
  });

  test("corpora without a pair for every line, and unknown options, are refused", () => {
    for (const metric of [bleu, chrf]) {
      expect(() => metric(["a"], [])).toThrow("references");
      expect(() => metric([], [])).toThrow("references");
      expect(() => metric(["a"], [[]])).toThrow("references");
      expect(() => metric(["a"], ["a"], { lowerCase: true } as object)).toThrow("lowerCase");
    }
    expect(() => bleu(["a"], ["a"], { tokenize: "intl" as "none" })).toThrow("13a");
    expect(() => chrf(["a"], ["a"], { wordOrder: 7 })).toThrow("wordOrder");
  });
});

describe("error rates", () => {
  test("count the least edits", () => {
    expect(editDistance([..."kitten"], [..."sitting"])).toBe(3);
    expect(editDistance([..."abc"], [])).toBe(3);
    expect(editDistance([], [..."ab"])).toBe(2);
    expect(editDistance([..."ab"], [..."ba"])).toBe(2);
  });

  test("are over the reference's length, all lines together", () => {
    expect(wordErrorRate(["the cat sat", "a  b"], ["the cat sat down", "a c"])).toBeCloseTo(2 / 6, 12);
    expect(wordErrorRate(["x y z"], ["x"])).toBe(2);
    expect(characterErrorRate(["𝒳b"], ["𝒳𝒳bb"])).toBe(0.5);
    expect(() => wordErrorRate(["a"], [" "])).toThrow("references");
  });

  test("of pronunciations take the nearest one", () => {
    const references = [["R IY1 D", "R EH1 D"], "K AE1 T S"];
    expect(pronunciationErrors(["R EH1 D", "K AE1 T"], references)).toEqual({
      phonemeErrorRate: 1 / 7,
      wordErrorRate: 0.5,
    });
  });
});
