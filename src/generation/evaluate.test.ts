import { describe, expect, test } from "vitest";
import { tinyModel } from "../../test/support/tiny-checkpoint.js";
import { loadModel } from "../load-model.node.js";
import { evaluate } from "./evaluate.js";
import type { Model } from "./model.js";

const plain = tinyModel();
const begins = tinyModel({ begins: true });
const text = "It was the age of wisdom, it was the age of foolishness.";
const backend = "reference";

/** −ln p(ids[at]) given ids[from…at − 1], after `begin`: from the model's logits, a whole pass for each token. */
async function surprise(
  model: Model,
  ids: ArrayLike<number>,
  from: number,
  at: number,
  begin: number[],
): Promise<number> {
  const context = [...begin, ...Array.from(ids).slice(from, at)];
  const logits = await model.logits(context);
  const last = Array.from(logits.subarray((context.length - 1) * model.config.vocabSize));
  const sum = last.reduce((total, logit) => total + Math.exp(logit), 0);
  return Math.log(sum) - last[ids[at]!]!;
}

describe("evaluate", () => {
  test("a text shorter than the window: every token but the first, from all before it", async () => {
    await using model = await loadModel(plain, { backend });
    const ids = model.tokenizer.encode(text);
    let total = 0;
    for (let at = 1; at < ids.length; at++) total += await surprise(model, ids, 0, at, []);
    const result = await evaluate(model, text);
    expect(result.tokens).toBe(ids.length - 1);
    expect(result.nll).toBeCloseTo(total / (ids.length - 1), 5);
    expect(result.perplexity).toBe(Math.exp(result.nll));
    expect(result.bitsPerByte).toBeCloseTo(total / Math.LN2 / new TextEncoder().encode(text).length, 5);
  });

  test("windows overlap by what the stride leaves; every token is scored once", async () => {
    await using model = await loadModel(plain, { backend });
    const ids = model.tokenizer.encode(text);
    // Inputs 0–9 score 1–10; inputs 7–16 score 11–17; inputs 14–23 score 18–24; and so on: window 10, stride 7.
    const windowStart = (at: number) => (at <= 10 ? 0 : 7 * Math.ceil((at - 10) / 7));
    let total = 0;
    for (let at = 1; at < ids.length; at++) total += await surprise(model, ids, windowStart(at), at, []);
    const result = await evaluate(model, text, { window: 10, stride: 7 });
    expect(result.tokens).toBe(ids.length - 1);
    expect(result.nll).toBeCloseTo(total / result.tokens, 5);
  });

  test("where texts begin with a special token every window does, and the first character is scored too", async () => {
    await using model = await loadModel(begins, { backend });
    const ids = model.tokenizer.encode(text, { addSpecialTokens: false });
    // <s> and inputs 0–8 score 0–9; <s> and 5–13 score 10–14; <s> and 10–18 score 15–19: room for 9, stride 5.
    const windowStart = (at: number) => (at <= 9 ? 0 : 5 * Math.ceil((at - 9) / 5));
    let total = 0;
    for (let at = 0; at < ids.length; at++) total += await surprise(model, ids, windowStart(at), at, [1]);
    const result = await evaluate(model, text, { window: 10, stride: 5 });
    expect(result.tokens).toBe(ids.length);
    expect(result.nll).toBeCloseTo(total / result.tokens, 5);
  });

  test.each([1, 2, 9, 10])("stride %i scores as many tokens as any other", async (stride) => {
    await using model = await loadModel(begins, { backend });
    expect((await evaluate(model, text, { window: 10, stride })).tokens).toBe(text.length);
  });

  test("a window that holds the whole text makes the stride meaningless", async () => {
    await using model = await loadModel(plain, { backend });
    const whole = await evaluate(model, text);
    expect(await evaluate(model, text, { window: 90, stride: 3 })).toEqual(whole);
  });

  test("token ids are taken as they are", async () => {
    await using model = await loadModel(plain, { backend });
    expect(await evaluate(model, model.tokenizer.encode(text))).toEqual(await evaluate(model, text));
    expect((await evaluate(model, [5, 6])).tokens).toBe(1);
  });

  test("progress ends at the total, and an abort signal ends the work", async () => {
    await using model = await loadModel(plain, { backend });
    const seen: [number, number][] = [];
    const { tokens } = await evaluate(model, text, { window: 8, onProgress: (...pair) => seen.push(pair) });
    expect(seen.length).toBeGreaterThan(5);
    expect(seen.at(-1)).toEqual([tokens, tokens]);
    const reason = new Error("enough");
    await expect(evaluate(model, text, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("what cannot be evaluated is refused", async () => {
    await using model = await loadModel(plain, { backend });
    await expect(evaluate(model, "")).rejects.toThrow("at least two tokens");
    await expect(evaluate(model, "a")).rejects.toThrow("at least two tokens");
    await expect(evaluate(model, text, { window: 97 })).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(evaluate(model, text, { window: 10, stride: 11 })).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(evaluate(model, text, { strides: 1 } as object)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
    await using translator = await loadModel(tinyModel({ fixture: "t5-relu-tied" }), { backend });
    await expect(evaluate(translator, text)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});
