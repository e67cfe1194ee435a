import { describe, expect, test } from "vitest";
import { Draws, rounds, softmax } from "../../../test/support/distributions.js";
import { OutOfRangeError } from "../../core/errors.js";
import { contrast, contrastLayers, guide, logSoftmax, meanDivergence, normalise } from "./formulas.js";
import { earlyLayers } from "./options.js";

const draws = new Draws(29);

function vector(width: number): Float32Array {
  return Float32Array.from({ length: width }, () => draws.uniform() - 0.5);
}

function cosine(a: Float32Array, b: Float32Array): number {
  const product = (x: Float32Array, y: Float32Array) => x.reduce((sum, each, i) => sum + each * y[i]!, 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

describe("guides follow their definitions", () => {
  test("guidance: ℓ_u + γ(ℓ_c − ℓ_u) on log-softmax; what is banned stays so", () => {
    for (let i = 0; i < rounds; i++) {
      const [conditional, scale] = [draws.logits(), 4 * draws.uniform()];
      const unconditional = draws.logits(conditional.length).map((z) => Math.max(z, -20));
      const [c, u] = [softmax(conditional), softmax(unconditional)];
      const actual = guide(conditional, unconditional, scale);
      for (const [id, p] of c.entries()) {
        if (p === 0) expect(actual[id]).toBe(Number.NEGATIVE_INFINITY);
        else expect(actual[id]).toBeCloseTo(Math.log(u[id]!) + scale * (Math.log(p) - Math.log(u[id]!)), 3);
      }
    }
  });

  test("guidance of 1 is the model itself", () => {
    const logits = draws.logits(40);
    const other = draws.logits(40).map((z) => Math.max(z, -20));
    for (const [id, z] of guide(logits, other, 1).entries()) {
      if (logits[id] !== Number.NEGATIVE_INFINITY) expect(z).toBeCloseTo(logSoftmax(logits)[id]!, 4);
    }
  });

  test("contrastive search: argmax (1 − α)p(v) − α · max_j cos(h_v, h_j)", () => {
    for (let i = 0; i < rounds; i++) {
      const alpha = draws.uniform();
      const before = Array.from({ length: 1 + draws.below(6) }, () => vector(8));
      const states = Array.from({ length: 1 + draws.below(5) }, () => vector(8));
      const probabilities = states.map(() => draws.uniform());
      const scores = states.map((state, v) => {
        const nearest = Math.max(...before.map((other) => cosine(state, other)));
        return (1 - alpha) * probabilities[v]! - alpha * nearest;
      });
      const chosen = contrast(probabilities, states, before.map(normalise), alpha);
      expect(scores[chosen]).toBeCloseTo(Math.max(...scores), 5);
    }
  });

  test("DoLa: ln p − ln q over tokens with p ≥ 0.1 p_max, q of the layer that diverges most", () => {
    for (let i = 0; i < rounds; i++) {
      const final = draws.logits();
      const early = Array.from({ length: 1 + draws.below(4) }, () =>
        draws.logits(final.length).map((z) => Math.max(z, -20)),
      );
      const p = softmax(final);
      const divergence = early.map((logits) => {
        const q = softmax(logits);
        const mean = p.map((each, id) => (each + q[id]!) / 2);
        const away = (from: readonly number[]) =>
          mean.reduce((sum, m, id) => sum + (p[id]! > 0 ? m * Math.log(m / from[id]!) : 0), 0);
        return (away(p) + away(q)) / 2;
      });
      const q = softmax(early[divergence.indexOf(Math.max(...divergence))]!);
      const most = Math.max(...p);
      for (const [id, actual] of contrastLayers(final, early).entries()) {
        const ratio = p[id]! / most;
        if (Math.abs(ratio - 0.1) < 1e-6) continue;
        if (ratio < 0.1) expect(actual).toBe(Number.NEGATIVE_INFINITY);
        else expect(actual).toBeCloseTo(Math.log(p[id]!) - Math.log(q[id]!), 3);
      }
    }
  });

  test("a distribution does not diverge from itself", () => {
    const p = logSoftmax(draws.logits(30));
    expect(meanDivergence(p, p)).toBeCloseTo(0, 12);
  });

  test("early layers are those that Hugging Face takes", () => {
    expect(earlyLayers("low", 12, false)).toEqual([0, 2, 4]);
    expect(earlyLayers("low", 12, true)).toEqual([2, 4]);
    expect(earlyLayers("high", 12, true)).toEqual([6, 8, 10]);
    expect(earlyLayers("high", 7, true)).toEqual([3, 5]);
    expect(earlyLayers("low", 4, true)).toEqual([2]);
    expect(earlyLayers("low", 2, true)).toEqual([1]);
    expect(earlyLayers("low", 3, true)).toEqual([2]); // it has none there
    expect(earlyLayers("low", 48, false)).toEqual(earlyLayers("low", 40, false));
    expect(earlyLayers("high", 48, true)[0]).toBe(28);
    expect(earlyLayers([3, 0, 3], 4, true)).toEqual([3, 0]);
    expect(() => earlyLayers([4], 4, true)).toThrow(OutOfRangeError);
  });
});
