/** Filters that look at the shape of a distribution, each against its definition, word for word. */
import { describe, expect, test } from "vitest";
import { Draws, entropy, left, rounds, scoresAfter, softmax } from "../../../test/support/distributions.js";
import { OutOfRangeError } from "../../core/errors.js";
import { Candidates } from "./candidates.js";
import { epsilonCutoffFilter, etaCutoffFilter } from "./cutoffs.js";
import { dynamicTemperatureFilter } from "./dynamic-temperature.js";
import { Mirostat } from "./mirostat.js";
import { topNSigmaFilter } from "./top-n-sigma.js";
import { typicalPFilter } from "./typical-p.js";
import { xtcProcessor } from "./xtc.js";

const draws = new Draws(2);

/** Ids where `keep`; those for which rounding may decide are left out of both sides. */
function expectKept(actual: readonly number[], size: number, keep: (id: number) => boolean | "either"): void {
  for (let id = 0; id < size; id++) {
    const expected = keep(id);
    if (expected !== "either") expect(actual.includes(id), `id ${id}`).toBe(expected);
  }
  expect(actual.length).toBeGreaterThan(0);
}

const nearly = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b));

describe("filters follow their definitions", () => {
  test("typicalP: sorted by |−ln p − H|, the smallest prefix with mass ≥ τ, and those tied with its last", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const tau = 0.05 + 0.9 * draws.uniform();
      const p = softmax(logits);
      const distance = p.map((each) => Math.abs(-Math.log(each) - entropy(p)));
      const order = [...p.keys()].sort((a, b) => distance[a]! - distance[b]!);
      let mass = 0;
      const last = order.find((id) => {
        mass += p[id]!;
        return mass >= tau;
      })!;
      const bound = distance[last]!;
      const actual = left(typicalPFilter(tau), logits);
      expectKept(actual, p.length, (id) =>
        id !== last && nearly(distance[id]!, bound) ? "either" : distance[id]! <= bound,
      );
    }
  });

  test("epsilonCutoff: p ≥ ε, and the likeliest", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const epsilon = 0.001 + 0.6 * draws.uniform() ** 3;
      const p = softmax(logits);
      const most = Math.max(...p);
      const actual = left(epsilonCutoffFilter(epsilon), logits);
      expectKept(actual, p.length, (id) => (nearly(p[id]!, epsilon) ? "either" : p[id]! >= epsilon || p[id] === most));
    }
  });

  test("etaCutoff: p ≥ min(ε, √ε · e^−H), and the likeliest", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const epsilon = 0.001 + 0.9 * draws.uniform() ** 3;
      const p = softmax(logits);
      const most = Math.max(...p);
      const floor = Math.min(epsilon, Math.sqrt(epsilon) * Math.exp(-entropy(p)));
      const actual = left(etaCutoffFilter(epsilon), logits);
      expectKept(actual, p.length, (id) => (nearly(p[id]!, floor) ? "either" : p[id]! >= floor || p[id] === most));
    }
  });

  test("topNSigma: z ≥ max z − n · std(z), over what is possible", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const n = 0.1 + 3 * draws.uniform();
      const finite = Array.from(logits).filter(Number.isFinite);
      const mean = finite.reduce((sum, z) => sum + z, 0) / finite.length;
      const std = Math.sqrt(finite.reduce((sum, z) => sum + (z - mean) ** 2, 0) / finite.length);
      const bound = Math.max(...finite) - n * std;
      const actual = left(topNSigmaFilter(n), logits);
      expectKept(actual, logits.length, (id) => (nearly(logits[id]!, bound) ? "either" : logits[id]! >= bound));
    }
  });

  test("XTC: of the tokens with p ≥ threshold all but the least likely go, with the probability given", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const threshold = 0.02 + 0.6 * draws.uniform();
      const probability = draws.uniform();
      const place = draws.text(6);
      const p = softmax(logits);
      const likely = [...p.keys()].filter((id) => p[id]! >= threshold);
      const least = likely.reduce((a, b) => (p[b]! < p[a]! ? b : a), likely[0] ?? -1);
      const happens = place.uniform(0) < probability && likely.length >= 2 && threshold <= 0.5;
      const actual = left(xtcProcessor(probability, threshold), logits, place);
      expectKept(actual, p.length, (id) => {
        if (logits[id] === Number.NEGATIVE_INFINITY) return false;
        if (likely.some((each) => nearly(p[each]!, threshold))) return "either";
        return !happens || p[id]! < threshold || id === least;
      });
    }
  });

  test("dynamic temperature: T within ±range by (H / H_max)^exponent", () => {
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const [temperature, range] = [0.5 + draws.uniform(), draws.uniform() / 2];
      const exponent = 0.2 + 2 * draws.uniform();
      const share = entropy(softmax(logits)) / Math.log(logits.length);
      const t = Math.max(0, temperature - range) + 2 * range * share ** exponent;
      const actual = scoresAfter(dynamicTemperatureFilter(temperature, range, exponent), logits);
      for (const [id, z] of logits.entries()) if (Number.isFinite(z)) expect(actual[id]).toBeCloseTo(z / t, 4);
    }
  });

  test("mirostat 2: drops −log₂ p > μ, and corrects μ by η(surprise − τ)", () => {
    const mirostat = new Mirostat({ tau: 3, eta: 0.2 });
    expect(mirostat.initial).toBe(6);
    expect(mirostat.correct(6, 0.25)).toBeCloseTo(6 - 0.2 * (2 - 3), 12);
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits();
      const limit = 8 * draws.uniform();
      const p = softmax(logits);
      const most = Math.max(...p);
      const actual = left((candidates) => mirostat.filter(candidates, limit), logits);
      expectKept(actual, p.length, (id) => {
        const surprise = -Math.log2(p[id]!);
        return nearly(surprise, limit) ? "either" : surprise <= limit || p[id] === most;
      });
    }
  });

  test("mirostat 1: the top k of its formula", () => {
    const mirostat = new Mirostat({ version: 1 });
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits(3 + draws.below(200)).map((z) => Math.max(z, -9) + draws.uniform() / 1000);
      const limit = 1 + 9 * draws.uniform();
      const sorted = softmax(logits).sort((a, b) => b - a);
      let [top, bottom] = [0, 0];
      for (let j = 0; j < Math.min(100, sorted.length) - 1; j++) {
        const t = Math.log((j + 2) / (j + 1));
        top += t * Math.log(sorted[j]! / sorted[j + 1]!);
        bottom += t * t;
      }
      const s = top / bottom;
      const k = (((s - 1) * 2 ** limit) / (1 - sorted.length ** -(s - 1))) ** (1 / s);
      const expected = Math.min(sorted.length, Math.max(1, Math.round(k)));
      const actual = left((candidates) => mirostat.filter(candidates, limit), logits);
      if (Math.abs((k % 1) - 0.5) > 1e-6) expect(actual.length).toBeGreaterThanOrEqual(expected); // ties survive
      expect(actual.length).toBeLessThanOrEqual(expected + 2);
    }
  });

  test("what cannot be is refused by name", () => {
    for (const make of [
      () => typicalPFilter(0),
      () => epsilonCutoffFilter(0),
      () => etaCutoffFilter(1),
      () => topNSigmaFilter(0),
      () => xtcProcessor(1.1, 0.1),
      () => xtcProcessor(0.5, -0.1),
      () => dynamicTemperatureFilter(0, 0.1, 1),
      () => dynamicTemperatureFilter(1, -0.1, 1),
      () => new Mirostat({ tau: 0 }),
      () => new Mirostat({ version: 3 as 1 }),
    ]) {
      expect(make).toThrow(OutOfRangeError);
    }
  });

  test("a token is changed, banned and found by id, whoever has left before", () => {
    const candidates = new Candidates(6).reset(Float32Array.from([5, 4, 3, 2, 1, 0]));
    candidates.divideBy(2);
    candidates.keepWhere((index) => index % 2 === 1);
    candidates.change(3, (z) => z + 10);
    candidates.change(2, () => 100);
    candidates.ban(5);
    const scores = new Float32Array(6);
    candidates.scatter(scores);
    expect([...scores]).toEqual([-Infinity, 2, -Infinity, 11, -Infinity, -Infinity]);
  });
});
