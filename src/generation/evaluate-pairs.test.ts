import { describe, expect, test } from "vitest";
import { tinyModel } from "../../test/support/tiny-checkpoint.js";
import { loadModel } from "../load-model.node.js";
import { evaluatePairs } from "./evaluate-pairs.js";

const backend = "reference";
const pairs = Array.from({ length: 19 }, (_, i) => ({
  source: "hello there".slice(0, 1 + (i % 11)),
  target: "General Kenobi".slice(0, i % 14),
}));

describe("evaluation of pairs", () => {
  test("is the mean of −ln p of the targets' tokens and of the end after each", async () => {
    await using model = await loadModel(tinyModel({ fixture: "t5-relu-tied" }), { backend });
    const { vocabSize } = model.config;
    let [total, tokens] = [0, 0];
    for (const { source, target } of pairs) {
      const ids = Array.from(model.tokenizer.encode(target));
      const inputs = { source: model.tokenizer.encode(source), target: [0, ...ids] };
      const logits = await model.logits(inputs);
      for (const [row, id] of [...ids, model.endIds[0]!].entries()) {
        const values = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
        total += Math.log(values.reduce((sum, each) => sum + Math.exp(each), 0)) - values[id]!;
        tokens++;
      }
    }
    const seen: number[] = [];
    const result = await evaluatePairs(model, pairs, { onProgress: (done) => seen.push(done) });
    expect(result).toMatchObject({ pairs: 19, tokens });
    expect(result.nll).toBeCloseTo(total / tokens, 5);
    expect(result.perplexity).toBeCloseTo(Math.exp(total / tokens), 3);
    const bytes = pairs.reduce((sum, { target }) => sum + target.length, 0);
    expect(result.bitsPerByte).toBeCloseTo(total / Math.LN2 / bytes, 4);
    expect(seen).toEqual([16, 19]);
    expect(model.engine.pool.used).toBe(0);
  });

  test("refuses what it cannot do", async () => {
    await using model = await loadModel(tinyModel({ fixture: "t5-relu-tied" }), { backend });
    await using decoder = await loadModel(tinyModel(), { backend });
    await expect(evaluatePairs(decoder, pairs)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(evaluatePairs(model, [])).rejects.toMatchObject({ code: "INVALID_VALUE" });
    await expect(evaluatePairs(model, pairs, { batch: 3 } as object)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
    const reason = new Error("enough");
    await expect(evaluatePairs(model, pairs, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
