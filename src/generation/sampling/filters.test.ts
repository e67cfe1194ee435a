/** Each filter against its definition, word for word, on random distributions. */
import { describe, expect, test } from "vitest";
import { OutOfRangeError } from "../../core/errors.js";
import { CounterRandom } from "../../core/random.js";
import { Candidates, type Filter } from "./candidates.js";
import { minPFilter } from "./min-p.js";
import { temperatureFilter } from "./temperature.js";
import { topKFilter } from "./top-k.js";
import { topPFilter } from "./top-p.js";

const rounds = 1000;
const random = new CounterRandom(1);
let draws = 0;
const uniform = () => random.uniform(draws++);

/** Logits of a random vocabulary; some rounded, so that ties occur. */
function randomLogits(): Float32Array {
  const size = 1 + Math.floor(uniform() * 60);
  const step = uniform() < 0.5 ? 1 : 1e-6;
  return Float32Array.from({ length: size }, () => Math.round(((uniform() - 0.5) * 12) / step) * step);
}

function softmax(logits: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(logits));
  const exponentials = Array.from(logits, (z) => Math.exp(z - largest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((e) => e / sum);
}

function kept(filter: Filter, logits: Float32Array): number[] {
  const candidates = new Candidates(logits.length).reset(logits);
  filter(candidates);
  return Array.from(candidates.ids.subarray(0, candidates.count));
}

const idsWhere = (logits: ArrayLike<number>, keep: (id: number) => boolean) =>
  Array.from(logits, (_, id) => id).filter(keep);

describe("filters follow their definitions", () => {
  test("topK: the k largest, and those tied with the k-th", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = randomLogits();
      const k = 1 + Math.floor(uniform() * 20);
      const kth = [...logits].sort((a, b) => b - a)[Math.min(k, logits.length) - 1]!;
      expect(kept(topKFilter(k), logits)).toEqual(idsWhere(logits, (id) => logits[id]! >= kth));
    }
  });

  test("after a temperature, filters see the divided scores", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = randomLogits();
      const temperature = [0.01, 0.7, 1, 1.5, 1e7, 1e300][i % 6]!;
      const k = 1 + Math.floor(uniform() * 20);
      const scores = logits.map((z) => z / temperature);
      const kth = [...scores].sort((a, b) => b - a)[Math.min(k, logits.length) - 1]!;
      const candidates = new Candidates(logits.length).reset(logits);
      for (const filter of [temperatureFilter(temperature), topKFilter(k)]) filter(candidates);
      const expected = idsWhere(scores, (id) => scores[id]! >= kth);
      expect(Array.from(candidates.ids.subarray(0, candidates.count))).toEqual(expected);
      expect(candidates.scores.slice(0, candidates.count)).toEqual(Float32Array.from(expected, (id) => scores[id]!));
      expect(kept((all) => [topPFilter(0.9), minPFilter(0.1)].map((filter) => filter(all)), scores)).toEqual(
        kept((all) => [temperatureFilter(temperature), topPFilter(0.9), minPFilter(0.1)].map((f) => f(all)), logits),
      );
    }
  });

  test("topP: the smallest set in descending order whose mass reaches p, and those tied with its last", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = randomLogits();
      const p = 0.05 + 0.94 * uniform();
      const probabilities = softmax(logits);
      const descending = [...probabilities.keys()].sort((a, b) => probabilities[b]! - probabilities[a]!);
      let mass = 0;
      const last = descending.find((id) => {
        mass += probabilities[id]!;
        return mass >= p;
      })!;
      expect(kept(topPFilter(p), logits)).toEqual(idsWhere(logits, (id) => logits[id]! >= logits[last]!));
    }
  });

  test("topP of 1 keeps everything; a tiny p keeps the likeliest", () => {
    const logits = Float32Array.from([0, 3, -20, 3]);
    expect(kept(topPFilter(1), logits)).toEqual([0, 1, 2, 3]);
    expect(kept(topPFilter(1e-9), logits)).toEqual([1, 3]);
  });

  test("minP: at least minP times as likely as the likeliest", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = randomLogits();
      const minP = uniform();
      const probabilities = softmax(logits);
      const bound = minP * Math.max(...probabilities);
      // Rounding may go either way within 1e-6 of the bound.
      const actual = new Set(kept(minPFilter(minP), logits));
      for (const [id, probability] of probabilities.entries()) {
        if (Math.abs(probability - bound) > 1e-6 * bound) expect(actual.has(id)).toBe(probability > bound);
      }
      expect(actual.size).toBeGreaterThan(0);
    }
  });

  test("temperature: scores divided by T", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = randomLogits();
      const temperature = 0.1 + 3 * uniform();
      const candidates = new Candidates(logits.length).reset(logits);
      temperatureFilter(temperature)(candidates);
      expect(Array.from(candidates.scores)).toEqual(Array.from(logits, (z) => Math.fround(z / temperature)));
    }
  });

  test("what cannot be is refused by name", () => {
    for (const make of [() => topKFilter(0), () => topKFilter(1.5), () => topPFilter(0), () => topPFilter(1.1)]) {
      expect(make).toThrow(OutOfRangeError);
    }
    for (const make of [
      () => minPFilter(-1),
      () => minPFilter(2),
      () => temperatureFilter(0),
      () => temperatureFilter(NaN),
    ]) {
      expect(make).toThrow(OutOfRangeError);
    }
  });
});
