import { describe, expect, test } from "vitest";
import { Draws, rounds, scoresAfter } from "../../../test/support/distributions.js";
import { tinyModel } from "../../../test/support/tiny-checkpoint.js";
import { OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import { loadModel } from "../../load-model.node.js";
import { detectWatermark, watermarkProcessor } from "./watermark.js";

describe("watermark", () => {
  test("adds δ to the tokens that are green after the last one, and to no others", () => {
    const draws = new Draws(11);
    let [green, all] = [0, 0];
    for (let i = 0; i < rounds; i++) {
      const logits = draws.logits(20);
      const place = draws.text(20);
      const before = place.ids.at(-1);
      const actual = scoresAfter(watermarkProcessor({ key: 5, gamma: 0.3, delta: 1.5 }), logits, place);
      for (const [id, z] of logits.entries()) {
        const isGreen = before !== undefined && detectWatermark([before, id], { key: 5, gamma: 0.3 }).green === 1;
        expect(actual[id]).toBeCloseTo(isGreen ? z + 1.5 : z, 4);
        if (before !== undefined) all++;
        if (isGreen) green++;
      }
    }
    expect(green / all).toBeGreaterThan(0.15); // few texts, so few lists: near γ, not at it
    expect(green / all).toBeLessThan(0.45);
  });

  test("is found in a text that has it with its key, and not with another, nor in a text without", async () => {
    await using model = await loadModel(tinyModel(), { backend: "reference", contextLength: 96 });
    const sampling = { temperature: 1.5, seed: 3 };
    const stopping = { endIds: false };
    const watermark = { key: 77, delta: 4 };
    const run = { count: 1, maxTokens: 90, sampling, stopping };
    const [marked] = await model.sample([3, 4], { ...run, tokens: { watermark } });
    const [plain] = await model.sample([3, 4], run);
    const found = detectWatermark(marked!.tokens, { key: 77 });
    expect(found.tokens).toBe(89);
    expect(found.z).toBeCloseTo((found.green - 0.25 * 89) / Math.sqrt(89 * 0.25 * 0.75), 12);
    expect(found.z).toBeGreaterThan(5);
    expect(Math.abs(detectWatermark(marked!.tokens, { key: 78 }).z)).toBeLessThan(4);
    expect(Math.abs(detectWatermark(plain!.tokens, { key: 77 }).z)).toBeLessThan(4);
  });

  test("what cannot be is refused", () => {
    expect(() => watermarkProcessor({ key: 1, gamma: 1 })).toThrow(OutOfRangeError);
    expect(() => watermarkProcessor({ key: -1 })).toThrow(OutOfRangeError);
    expect(() => watermarkProcessor({ key: 1, delta: 0 })).toThrow(OutOfRangeError);
    expect(() => detectWatermark([1, 2], { key: 1, delta: 2 } as { key: number })).toThrow(UnknownOptionError);
    expect(() => detectWatermark([1], { key: 1 })).toThrow("at least two");
  });
});
