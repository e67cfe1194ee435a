import { describe, expect, test } from "vitest";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import { createSampler, type SamplingOptions } from "./sampler.js";

const logits = Float32Array.from([1, 4, 2, 4, -1, 0]);

describe("greedy", () => {
  test("is the default, takes the largest logit, and the lowest id of several", () => {
    expect(createSampler({}, 6).choose(logits, 0)).toBe(1);
    expect(createSampler({ temperature: 0, topK: 3, seed: 1 }, 6).choose(logits, 0)).toBe(1);
  });
});

describe("a drawn token", () => {
  test("depends on seed and position alone", () => {
    const [a, b] = [createSampler({ seed: 5 }, 6), createSampler({ seed: 5 }, 6)];
    for (let position = 0; position < 5; position++) b.choose(logits, position);
    for (let position = 99; position >= 0; position--) {
      expect(a.choose(logits, position)).toBe(b.choose(logits, position));
    }
  });

  test("follows the distribution that the filters leave (chi-squared over 50,000 draws)", () => {
    const sampler = createSampler({ temperature: 2, topK: 4, seed: 9 }, 6);
    const counts = new Array<number>(6).fill(0);
    const draws = 50_000;
    for (let i = 0; i < draws; i++) counts[sampler.choose(logits, i)]!++;
    const weights = [1, 4, 2, 4].map((z) => Math.exp(z / 2));
    const sum = weights.reduce((x, y) => x + y, 0);
    expect([counts[4], counts[5]]).toEqual([0, 0]);
    const statistic = weights.reduce((total, weight, id) => {
      const expected = (draws * weight) / sum;
      return total + (counts[id]! - expected) ** 2 / expected;
    }, 0);
    // 3 degrees of freedom: beyond 21 once in 10,000 seeds.
    expect(statistic).toBeLessThan(21);
  });

  test("never has probability 0", () => {
    const certain = Float32Array.from([Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]);
    const sampler = createSampler({ temperature: 1, seed: 2 }, 3);
    for (let i = 0; i < 1000; i++) expect(sampler.choose(certain, i)).toBe(1);
  });

  test("leaves the logits as they were", () => {
    const before = logits.slice();
    createSampler({ temperature: 0.5, topK: 2, topP: 0.5, minP: 0.1, seed: 1 }, 6).choose(logits, 3);
    expect(logits).toEqual(before);
  });
});

describe("options", () => {
  test.each([
    [{ temperature: -1 }, OutOfRangeError],
    [{ temperature: Number.POSITIVE_INFINITY }, OutOfRangeError],
    [{ topK: 0 }, OutOfRangeError],
    [{ topP: 0 }, OutOfRangeError],
    [{ minP: 1.5 }, OutOfRangeError],
    [{ seed: -1 }, InvalidValueError],
    [{ seed: 1.5 }, InvalidValueError],
    [{ top_p: 0.5 }, UnknownOptionError],
  ])("%j is refused", (options, error) => {
    expect(() => createSampler(options as SamplingOptions, 6)).toThrow(error);
  });
});
