import { describe, expect, test } from "vitest";
import { tinyModel } from "../../test/support/tiny-checkpoint.js";
import { loadModel } from "../load-model.node.js";
import { compare } from "./compare.js";
import { evaluate } from "./evaluate.js";
import type { Model } from "./model.js";

const backend = "reference";
const text = "It was the age of wisdom, it was the age of foolishness.";

/** Probabilities after each token of `ids`, from the model's logits. */
async function distributions(model: Model, ids: ArrayLike<number>): Promise<number[][]> {
  const { vocabSize } = model.config;
  const logits = await model.logits(ids);
  return Array.from({ length: ids.length }, (_, row) => {
    const powers = Array.from(logits.subarray(row * vocabSize, (row + 1) * vocabSize), Math.exp);
    const sum = powers.reduce((total, each) => total + each, 0);
    return powers.map((each) => each / sum);
  });
}

describe("compare", () => {
  test("follows the definition: D(other ‖ model) after each token, and how often both find the same one likeliest", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    await using other = await loadModel(tinyModel({ fixture: "qwen2-window" }), { backend });
    const ids = Array.from({ length: 30 }, (_, i) => (i * 7) % 60);
    const [own, others] = [await distributions(model, ids.slice(0, -1)), await distributions(other, ids.slice(0, -1))];
    const divergences = others
      .map((p, row) => p.reduce((sum, each, i) => sum + each * Math.log(each / own[row]![i]!), 0))
      .sort((a, b) => a - b);
    const top = (p: readonly number[]) => p.indexOf(Math.max(...p));
    const result = await compare(model, other, ids);
    expect(result.klDivergence.mean).toBeCloseTo(divergences.reduce((a, b) => a + b, 0) / 29, 4);
    expect(result.klDivergence.median).toBeCloseTo(divergences[14]!, 4);
    expect(result.klDivergence.percentile99).toBeCloseTo(divergences[28]!, 4);
    expect(result.topAgreement).toBeCloseTo(others.filter((p, row) => top(p) === top(own[row]!)).length / 29, 9);
    expect(result).toMatchObject(await evaluate(model, ids));
    expect(result.other).toEqual(await evaluate(other, ids));
  });

  test("a model is no distance from itself, in windows too", async () => {
    await using model = await loadModel(tinyModel({ begins: true }), { backend });
    const seen: [number, number][] = [];
    const options = { window: 10, stride: 5, onProgress: (...pair: [number, number]) => seen.push(pair) };
    const { other, ...own } = await compare(model, model, text, options);
    expect(own).toMatchObject({ ...other, klDivergence: { mean: 0, median: 0, percentile99: 0 }, topAgreement: 1 });
    expect(other).toEqual(await evaluate(model, text, { window: 10, stride: 5 }));
    expect(seen.at(-1)).toEqual([own.tokens, own.tokens]);
  });

  test("an abort signal ends it", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    const reason = new Error("enough");
    await expect(compare(model, model, text, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("another vocabulary, another kind of model and unknown options are refused", async () => {
    await using model = await loadModel(tinyModel(), { backend });
    await using fewer = await loadModel("stories", { backend });
    await expect(compare(model, fewer, text)).rejects.toMatchObject({ code: "VOCABULARY_MISMATCH" });
    await using translator = await loadModel(tinyModel({ fixture: "t5-relu-tied" }), { backend });
    await expect(compare(model, translator, text)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(compare(model, model, text, { strides: 1 } as object)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
  });
});
