import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomLlama, smallShape } from "../../test/support/random-llama.js";
import { encoderDecoderModel, randomModel, storyModel } from "../../test/support/tiny-model.js";
import { DisposedError, InvalidValueError, OutOfRangeError, UnknownOptionError } from "../core/errors.js";
import { modelFrom } from "../load-model.js";
import { createBackend } from "../load-model.node.js";
import { ConfigReader } from "../models/config-reader.js";
import type { GenerationOptions, GenerationStep } from "./generate.js";
import type { Model, Prompt } from "./model.js";

let stories: Model;
let translator: Model;
beforeAll(async () => {
  stories = await storyModel();
  translator = await encoderDecoderModel();
});
afterAll(async () => {
  await stories.dispose();
  await translator.dispose();
});

async function all(model: Model, prompt: Prompt, options: GenerationOptions): Promise<GenerationStep[]> {
  const steps: GenerationStep[] = [];
  for await (const step of model.generate(prompt, options)) steps.push(step);
  return steps;
}
const textOf = (steps: readonly GenerationStep[]) => steps.map(({ text }) => text).join("");

describe("a completion", () => {
  test("streams text that is the tokens' text", async () => {
    const steps = await all(stories, "Once upon a time", { maxTokens: 40 });
    const ids = [...stories.tokenizer.encode("Once upon a time"), ...steps.map(({ token }) => token)];
    expect(`Once upon a time${textOf(steps)}`).toBe(stories.tokenizer.decode(ids));
  });

  test("says what ended it: the number of tokens", async () => {
    const steps = await all(stories, "The king", { maxTokens: 5 });
    expect(steps.map(({ stop }) => stop)).toEqual([undefined, undefined, undefined, undefined, { kind: "maxTokens" }]);
  });

  test("a stop string, which is not shown", async () => {
    const whole = textOf(await all(stories, "The king", { maxTokens: 40 }));
    const word = whole.trim().split(" ")[6]!;
    const steps = await all(stories, "The king", { maxTokens: 40, stopping: { strings: [word] } });
    expect(textOf(steps)).toBe(whole.slice(0, whole.indexOf(word)));
    expect(steps.at(-1)!.stop).toEqual({ kind: "string", text: word });
  });

  test("a stop id, whose text is not shown", async () => {
    const steps = await all(stories, "The king", { maxTokens: 10 });
    const { token } = steps[4]!;
    const first = steps.findIndex((step) => step.token === token);
    const stopped = await all(stories, "The king", { maxTokens: 10, stopping: { tokenIds: [token] } });
    expect(stopped.at(-1)!.stop).toEqual({ kind: "token", token });
    expect(textOf(stopped)).toBe(textOf(steps.slice(0, first)));
  });

  test("the model's own end, unless told to go on", async () => {
    await using plain = await randomModel();
    const [{ token }] = (await all(plain, [5], { maxTokens: 1 })) as [GenerationStep];
    await using model = await randomModel({}, [token]);
    expect((await all(model, [5], { maxTokens: 3 })).at(-1)!.stop).toEqual({ kind: "end", token });
    const on = await all(model, [5], { maxTokens: 3, stopping: { endIds: false } });
    expect(on.at(-1)!.stop).toEqual({ kind: "maxTokens" });
  });

  test("the context length", async () => {
    await using model = await storyModel({ contextLength: 20 });
    const steps = await all(model, "The king", { maxTokens: 100 });
    expect(steps.at(-1)!.stop).toEqual({ kind: "contextLength" });
    expect(steps.length + model.tokenizer.encode("The king").length).toBe(20);
  });

  test("the time", async () => {
    const steps = await all(stories, "The king", { maxTokens: 300, stopping: { maxTime: 0 } });
    expect(steps.at(-1)!.stop).toEqual({ kind: "maxTime" });
  });

  test("with one seed is one text, with another another", async () => {
    const sampling = { temperature: 1, topP: 0.95, seed: 3 };
    const first = textOf(await all(stories, "The king", { maxTokens: 30, sampling }));
    expect(textOf(await all(stories, "The king", { maxTokens: 30, sampling }))).toBe(first);
    const other = { ...sampling, seed: 4 };
    expect(textOf(await all(stories, "The king", { maxTokens: 30, sampling: other }))).not.toBe(first);
  });

  test("may be left early, and frees its memory", async () => {
    for await (const _ of stories.generate("The king", { maxTokens: 100 })) break;
    expect(stories.engine.pool.used).toBe(0);
  });

  test("ends with the signal's reason when it is aborted, and lets timers run meanwhile", async () => {
    const started = performance.now();
    const signal = AbortSignal.timeout(80);
    const options = { maxTokens: 400, stopping: { endIds: false }, signal };
    const run = async () => {
      for (;;) await all(stories, "The king", options);
    };
    await expect(run()).rejects.toThrow(/abort|timeout/i);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(stories.engine.pool.used).toBe(0);
  });
});

test("tokens that the configuration calls bad are never chosen, and keep their logits", async () => {
  await using plain = await randomModel();
  const [{ token }] = (await all(plain, [5], { maxTokens: 1 })) as [GenerationStep];
  const whole = randomLlama(smallShape);
  const config = new ConfigReader({ ...whole.config.values, bad_words_ids: [[token], [1, 2]] });
  const backend = await createBackend();
  await using model = await modelFrom({ ...whole, config }, backend, {}, () => backend.dispose());
  const steps = await all(model, [5], { maxTokens: 20, alternatives: 1 });
  expect(steps[0]!.alternatives[0]!.token).toBe(token);
  expect(steps.map((step) => step.token)).not.toContain(token);
  const wrong = { ...whole, config: new ConfigReader({ ...whole.config.values, bad_words_ids: [7] }) };
  await expect(modelFrom(wrong, backend, {}, async () => {})).rejects.toThrow("bad_words_ids");
});

describe("an encoder-decoder model", () => {
  test("attends to its source: two sources, two sequences, in one run or two", async () => {
    const sources = [[5, 6, 7, 8], Array.from({ length: 33 }, (_, i) => 3 + (i % 40))];
    const alone = [];
    for (const source of sources) {
      using session = await translator.session({ source });
      alone.push(await session.take(8));
    }
    expect(alone[0]).not.toEqual(alone[1]);
    const { engine } = translator;
    const sequences = await Promise.all(sources.map((source) => engine.sequence(source)));
    const rows: Float32Array[] = [];
    const parts = sequences.map((sequence) => ({ sequence, ids: [0, 9, 4], outputs: "last" as const }));
    await engine.advance(parts, {
      onOutput: ({ part, logits }) => {
        rows[part] = logits.slice();
      },
    });
    for (const sequence of sequences) sequence.dispose();
    for (const [i, source] of sources.entries()) {
      const { vocabSize } = translator.config;
      const expected = await translator.logits({ source, target: [0, 9, 4] });
      expect(rows[i]).toEqual(expected.slice(2 * vocabSize));
    }
  });

  test("forks share their source and outlive each other", async () => {
    const session = await translator.session({ source: [5, 6, 7] });
    await session.take(2);
    const fork = session.fork();
    const expected = await session.take(4);
    session.dispose();
    expect(await fork.take(4)).toEqual(expected);
    fork.dispose();
    expect(translator.engine.pool.used).toBe(0);
  });

  test("needs a source, and a decoder-only model takes none", async () => {
    await expect(translator.session({ source: [] })).rejects.toThrow(OutOfRangeError);
    await expect(stories.session({ source: "x" })).rejects.toThrow(InvalidValueError);
    await expect(translator.logits([1, 2])).rejects.toThrow(InvalidValueError);
  });
});

describe("a model", () => {
  test("says when its configuration leaves out blocks of the checkpoint", async () => {
    const notices: string[] = [];
    const whole = randomLlama(smallShape);
    const fewer = new ConfigReader({ ...whole.config.values, num_hidden_layers: 1 });
    const backend = await createBackend();
    const options = { onNotice: (notice: string) => notices.push(notice) };
    await using model = await modelFrom({ ...whole, config: fewer }, backend, options, () => backend.dispose());
    expect(model.config.decoder.layers).toHaveLength(1);
    expect(notices).toEqual([expect.stringMatching(/leaves out tensors.*model\.layers\.1\..* and 17 more/)]);
  });

  test("refuses options that nobody knows", async () => {
    await expect(all(stories, "x", { max_tokens: 5 } as never)).rejects.toThrow(UnknownOptionError);
    await expect(all(stories, "x", { maxTokens: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(all(stories, "x", { stopping: { stop: ["a"] } } as never)).rejects.toThrow(UnknownOptionError);
    await expect(storyModel({ device: "gpu" } as never)).rejects.toThrow(UnknownOptionError);
  });

  test("refuses ids outside the vocabulary, by index", async () => {
    await expect(stories.logits([1, 2, 99999])).rejects.toThrow("token id at index 2");
  });

  test("shows what is inside, by name, and refuses other names", async () => {
    const inside = await stories.inspect([5, 6, 7], ["blocks.0.attention.probabilities", "logits"]);
    const { shape, values } = inside.get("blocks.0.attention.probabilities")!;
    expect(shape).toEqual([3, 4 * 3]);
    for (let row = 0; row < 12; row++) {
      expect(values.slice(row * 3, row * 3 + 3).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    }
    expect(inside.get("logits")!.values).toEqual(await stories.logits([5, 6, 7]));
    await expect(stories.inspect([5], ["blocks.9.nothing"])).rejects.toThrow(InvalidValueError);
    // A cache is no result for each token.
    await expect(stories.inspect([5], ["blocks.0.attention.keys"])).rejects.toThrow(InvalidValueError);
    expect(stories.resultNames()).toContain("blocks.0.attention.key");
    expect(stories.resultNames()).not.toContain("blocks.0.attention.keys");
  });

  test("says that it was disposed, and may be disposed twice", async () => {
    const model = await randomModel();
    const session = await model.session([1]);
    await model.dispose();
    await model.dispose();
    await expect(model.logits([1])).rejects.toThrow(DisposedError);
    await expect(session.step()).rejects.toThrow(DisposedError);
    session.dispose();
  });

  test("waits for what is running before it frees its memory", async () => {
    const model = await randomModel();
    const sequence = await model.engine.sequence();
    const ids = Array.from({ length: 200 }, (_, i) => i);
    let rows = 0;
    const running = model.engine.advance([{ sequence, ids, outputs: "all" }], { onOutput: () => rows++ });
    await model.dispose();
    await running;
    expect(rows).toBe(200);
  });
});
