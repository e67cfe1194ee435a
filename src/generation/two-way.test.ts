import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomModel, storyModel } from "../../test/support/tiny-model.js";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../core/errors.js";
import type { GenerationOptions, GenerationStep } from "./generate.js";
import type { Model } from "./model.js";
import type { TokenScore } from "./scores.js";

let model: Model;
let stories: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 128 });
  stories = await storyModel();
});
afterAll(async () => {
  await model.dispose();
  await stories.dispose();
});

async function complete(prompt: string | number[], options: GenerationOptions, where = stories) {
  const steps: GenerationStep[] = [];
  for await (const step of where.generate(prompt, options)) steps.push(step);
  return { steps, text: steps.map(({ text }) => text).join(""), tokens: steps.map(({ token }) => token) };
}

const encode = (text: string) => stories.tokenizer.encode(text, { addSpecialTokens: false });

describe("an answer to a step", () => {
  test.each<[string, GenerationOptions]>([
    ["plain", {}],
    ["with speculation", { speculation: { lookup: true, adaptive: false } }],
  ])("puts another token in place of the one just given: %s", async (_, more) => {
    const generation = stories.generate("Once upon a time", { maxTokens: 20, ...more });
    const other = encode(" dog")[0]!;
    const [tokens, shown]: [number[], string[]] = [[], []];
    let { value, done } = await generation.next();
    for (let i = 0; !done; i++) {
      const step = value as GenerationStep;
      if (i === 5) {
        ({ value, done } = await generation.next({ token: other }));
        tokens.push(other);
        continue;
      }
      tokens.push(step.token);
      shown.push(step.text);
      ({ value, done } = await generation.next());
    }
    expect(tokens).toHaveLength(20);
    using session = await stories.session("Once upon a time");
    expect(tokens.slice(0, 5)).toEqual(await session.take(5));
    session.extend([other]);
    expect(tokens.slice(6)).toEqual(await session.take(14));
    expect(shown.join("")).toBe(session.text.slice(session.text.indexOf("time") + 4));
    session.dispose();
    expect(stories.engine.pool.used).toBe(0);
  });

  test("may refuse the end", async () => {
    const prompt = [1, 2, 3];
    const { tokens } = await complete(prompt, { maxTokens: 8 }, model);
    const generation = model.generate(prompt, { maxTokens: 8, stopping: { tokenIds: [tokens[3]!] } });
    for (let i = 0; i < 3; i++) await generation.next();
    const end = (await generation.next()).value as GenerationStep;
    expect(end.stop).toEqual({ kind: "token", token: tokens[3] });
    // Any token after which the stop does not come at once.
    let [other, expected] = [76, tokens[3]!];
    while (expected === tokens[3]) {
      using session = await model.session([...prompt, ...tokens.slice(0, 3), ++other]);
      expected = (await session.step()).token;
    }
    const next = (await generation.next({ token: other })).value as GenerationStep;
    expect([next.stop, next.token]).toEqual([undefined, expected]);
    const last = (await generation.next({ token: tokens[3]! })).value as GenerationStep;
    expect(last.stop).toEqual({ kind: "token", token: tokens[3] });
    expect((await generation.next()).done).toBe(true);
  });

  test("takes back what a stop string had begun", async () => {
    const stopping = { strings: ["dogma"] };
    const generation = stories.generate("Once upon a time", { maxTokens: 6, stopping });
    let text = ((await generation.next()).value as GenerationStep).text;
    await generation.next(); // to be replaced, twice over
    const first = (await generation.next({ token: encode(" dog")[0]! })).value as GenerationStep;
    text += first.text;
    for await (const step of generation) text += step.text;
    expect(text).toContain(" dog");
  });

  test("of nonsense is refused, and frees the session", async () => {
    const wrong: [object, new (...values: never[]) => Error][] = [
      [{ tokens: 5 }, UnknownOptionError],
      [{ token: 500 }, OutOfRangeError],
    ];
    for (const [answer, error] of wrong) {
      const generation = model.generate([1], { maxTokens: 5 });
      await generation.next();
      await expect(generation.next(answer)).rejects.toThrow(error);
      expect(model.engine.pool.used).toBe(0);
    }
  });
});

describe("token healing", () => {
  test("lets a completion begin with a longer token than the prompt's last", async () => {
    using session = await stories.session("Once upon a time, there was a little");
    const next = (await session.step()).text;
    // A prompt that ends in the middle of that word, in tokens that nobody would have written it with.
    const part = next.slice(0, 2);
    const prompt = `Once upon a time, there was a little${part}`;
    const healed = await complete(prompt, { tokenHealing: true, maxTokens: 12 });
    expect(`${prompt}${healed.text}`.startsWith(`Once upon a time, there was a little${next}`)).toBe(true);
    session.dispose();
    expect(stories.engine.pool.used).toBe(0);
  });

  test("completes the prompt's text, whatever tokens it takes", async () => {
    for (const prompt of ["The ca", "She sa", "Once upon a ti", 'He said, "He', "T"]) {
      const sampling = { temperature: 1, seed: 2 };
      const healed = await complete(prompt, { tokenHealing: true, maxTokens: 15, sampling });
      const encoded = stories.tokenizer.encode(prompt);
      const kept = encoded.length < 2 ? encoded : encoded.slice(0, -1);
      const text = stories.tokenizer.decode([...kept, ...healed.tokens]);
      if (healed.steps.at(-1)!.stop!.kind === "maxTokens") expect(text).toBe(`${prompt}${healed.text}`);
    }
  });

  test("goes on with any token afterwards, as a session with those tokens would", async () => {
    const { tokens } = await complete("Once upon a ti", { tokenHealing: true, maxTokens: 10 });
    const kept = stories.tokenizer.encode("Once upon a ti").slice(0, -1);
    using session = await stories.session([...kept, tokens[0]!]);
    expect(await session.take(tokens.length - 1)).toEqual(tokens.slice(1));
  });

  test("does not go with a constraint", async () => {
    const options = { tokenHealing: true, constraint: { choices: ["a"] } };
    await expect(complete("Once", options)).rejects.toThrow(InvalidValueError);
    expect(stories.engine.pool.used).toBe(0);
  });
});

describe("scores of a prompt", () => {
  const prompt = Array.from({ length: 40 }, (_, i) => (i * 37) % 500);

  test("come from the pass that runs it, for every token but the first", async () => {
    const logits = await model.logits(prompt);
    const scores: TokenScore[] = [];
    const onScore = (score: TokenScore) => void scores.push(score);
    await complete(prompt, { onScore, alternatives: 2, maxTokens: 1 }, model);
    expect(scores.map(({ position }) => position)).toEqual(prompt.slice(1).map((_, i) => i + 1));
    for (const { token, position, logprob, alternatives } of scores) {
      expect(token).toBe(prompt[position]);
      const row = logits.subarray((position - 1) * 500, position * 500);
      const normaliser = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
      expect(logprob).toBeCloseTo(row[token]! - normaliser, 4);
      expect(alternatives).toHaveLength(2);
      expect(alternatives[0]!.logprob).toBeCloseTo(Math.max(...row) - normaliser, 4);
    }
  });

  test("of what was added later, whether or not the logits before it are known", async () => {
    for (const known of [false, true]) {
      using session = await model.session(prompt.slice(0, 20));
      if (known) await session.logits();
      else session.extend([prompt[20]!]);
      if (!known) await session.logits();
      session.extend(prompt.slice(session.length));
      if (!known) session.rewind(0);
      const scores: TokenScore[] = [];
      await session.step({ onScore: (score) => void scores.push(score) });
      const first = known ? 20 : 21;
      expect(scores.map(({ position }) => position)).toEqual(prompt.slice(first).map((_, i) => i + first));
    }
  });
});

describe("inspecting a step", () => {
  const names = ["blocks.0.attention.probabilities", "blocks.1.attention.query", "logits"];

  test("gives what the whole inspection gives, of the tokens that it runs", async () => {
    const prompt = Array.from({ length: 40 }, (_, i) => (i * 37) % 500);
    using session = await model.session(prompt, { cache: { share: false } });
    const first = await session.step({ inspect: names });
    const second = await session.step({ inspect: names });
    expect(session.tokenIds).toHaveLength(42);
    const whole = await model.inspect(session.tokenIds.slice(0, 41), names);
    const query = whole.get(names[1]!)!;
    expect(first.inspected!.get(names[1]!)!.shape).toEqual([40, 96]);
    expect(first.inspected!.get(names[1]!)!.values).toEqual(query.values.slice(0, 40 * 96));
    expect(second.inspected!.get(names[1]!)!.values).toEqual(query.values.slice(40 * 96));
    const weights = whole.get(names[0]!)!; // [41, 6 · 41]
    expect(second.inspected!.get(names[0]!)!.shape).toEqual([1, 6 * 41]);
    expect(second.inspected!.get(names[0]!)!.values).toEqual(weights.values.slice(40 * 6 * 41));
    expect(second.inspected!.get("logits")!.values).toEqual(second.logits);
  });

  test("leaves the session as it would be without", async () => {
    using plain = await model.session([1, 2, 3]);
    using inspected = await model.session([1, 2, 3]);
    const tokens: number[] = [];
    for (let i = 0; i < 6; i++) {
      tokens.push((await inspected.step(i % 2 === 0 ? { inspect: ["blocks.2.attention.mixed"] } : {})).token);
    }
    expect(tokens).toEqual(await plain.take(6));
    await expect(inspected.step({ inspect: ["nothing"] })).rejects.toThrow(InvalidValueError);
    expect((await plain.step()).inspected).toBeUndefined();
    expect(await inspected.take(3)).toEqual([...plain.tokenIds.slice(-1), ...(await plain.take(2))]);
  });
});
