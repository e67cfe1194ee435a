import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encoderDecoderModel, randomModel, storyModel } from "../../../test/support/tiny-model.js";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import type { Model } from "../model.js";
import type { SessionOptions } from "../session-options.js";
import { logSoftmax } from "./formulas.js";

let model: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 128, cache: { positions: 1024 } });
});
afterAll(() => model.dispose());

const ways: readonly [string, SessionOptions][] = [
  ["guidance", { guidance: { scale: 2, negative: [9, 8, 7] } }],
  ["guidance away from the last token alone", { guidance: { scale: 2 } }],
  ["contrastive search", { contrastive: { penaltyAlpha: 0.6, topK: 5 } }],
  ["DoLa", { dola: { layers: "low" } }],
];

describe.each(ways)("a session with %s", (_, options) => {
  test("says something else than without, the same each time", async () => {
    using plain = await model.session([1, 2, 3]);
    using one = await model.session([1, 2, 3], options);
    using other = await model.session([1, 2, 3], options);
    const tokens = await one.take(16);
    expect(await other.take(16)).toEqual(tokens);
    expect(await plain.take(16)).not.toEqual(tokens);
  });

  test("continues after a rewind, an edit and a fork as a fresh one would", async () => {
    using session = await model.session([1, 2, 3], options);
    const tokens = await session.take(12);
    session.rewind(6);
    expect(await session.take(6)).toEqual(tokens.slice(6));
    using fork = session.fork();
    const more = await session.take(5);
    expect(await fork.take(5)).toEqual(more);
    fork.rewind(8);
    await fork.step({ token: 77 });
    using fresh = await model.session([1, 2, 3], options);
    for (const token of [...tokens.slice(0, 9), 77]) await fresh.step({ token });
    expect(await fork.take(6)).toEqual(await fresh.take(6));
  });

  test("goes on after it was saved and restored", async () => {
    using session = await model.session([1, 2, 3], options);
    await session.take(5);
    using restored = await model.restore(await session.save());
    expect(await restored.take(6)).toEqual(await session.take(6));
  });

  test("leaves no memory behind, and reports the model's own probabilities", async () => {
    const { used } = model.engine.pool;
    const session = await model.session([1, 2, 3], { ...options, report: true });
    const { token, logits, logprob, report } = await session.step();
    expect(logprob).toBeCloseTo(logSoftmax(logits)[token]!, 4);
    expect(report!.map(({ stage }) => stage)).toEqual([Object.keys(options)[0]]);
    const fork = session.fork();
    await fork.take(3);
    fork.dispose();
    session.dispose();
    expect(model.engine.pool.used).toBe(used);
  });
});

describe("guides", () => {
  test("change nothing where they are told to: γ of 1, α of 0", async () => {
    using plain = await model.session([4, 5, 6]);
    const tokens = await plain.take(10);
    for (const options of [{ guidance: { scale: 1, negative: [9] } }, { contrastive: { penaltyAlpha: 0 } }]) {
      using session = await model.session([4, 5, 6], options);
      expect(await session.take(10)).toEqual(tokens);
    }
  });

  test("guidance is what two sessions say together", async () => {
    using guided = await model.session([1, 2, 3], { guidance: { scale: 3, negative: [8, 9] } });
    const tokens = await guided.take(6);
    using one = await model.session([1, 2, 3]);
    using other = await model.session([8, 9]);
    for (const token of tokens) {
      const [c, u] = [logSoftmax(await one.logits()), logSoftmax(await other.logits())];
      const scores = c.map((each, id) => u[id]! + 3 * (each - u[id]!));
      expect(scores.indexOf(Math.max(...scores))).toBe(token);
      await one.step({ token });
      await other.step({ token });
    }
  });

  test("go with processors, draws and texts; an encoder-decoder model is led away from a source", async () => {
    await using stories = await storyModel();
    const options = { guidance: { scale: 1.5, negative: "A dark night" }, sampling: { temperature: 0.8, seed: 3 } };
    const tokens: number[] = [];
    for await (const { token } of stories.generate("Once", { ...options, maxTokens: 8 })) tokens.push(token);
    expect(tokens).toHaveLength(8);
    await using translator = await encoderDecoderModel();
    const source = [5, 6, 7];
    using guided = await translator.session({ source }, { guidance: { scale: 2, negative: [8, 9] } });
    using plain = await translator.session({ source });
    expect(await guided.take(8)).not.toEqual(await plain.take(8));
    using same = await translator.session({ source }, { guidance: { scale: 2, negative: source } });
    plain.rewind(8);
    expect(await same.take(8)).toEqual(await plain.take(8));
    await expect(translator.session({ source }, { guidance: { scale: 2 } })).rejects.toThrow(InvalidValueError);
  });

  test("refuse what makes no sense", async () => {
    const refused = (options: object) => model.session([1], options as SessionOptions);
    await expect(refused({ guidance: { scale: Number.NaN } })).rejects.toThrow(OutOfRangeError);
    await expect(refused({ guidance: { scale: 2, negative: [] } })).rejects.toThrow(InvalidValueError);
    await expect(refused({ guidance: { scale: 2, positive: [1] } })).rejects.toThrow(UnknownOptionError);
    await expect(refused({ guidance: { scale: 2 }, dola: { layers: "low" } })).rejects.toThrow(InvalidValueError);
    await expect(refused({ dola: { layers: "middle" } })).rejects.toThrow(InvalidValueError);
    await expect(refused({ contrastive: { penaltyAlpha: 2 } })).rejects.toThrow(OutOfRangeError);
    await expect(refused({ contrastive: { penaltyAlpha: 0.5 }, sampling: { topK: 3 } })).rejects.toThrow(
      InvalidValueError,
    );
    const steps = model.generate([1], { dola: { layers: "low" }, speculation: { lookup: true } });
    await expect(steps.next()).rejects.toThrow(InvalidValueError);
  });
});
