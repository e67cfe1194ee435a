import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomLlama, smallShape } from "../../test/support/random-llama.js";
import { randomModel, storyModel } from "../../test/support/tiny-model.js";
import { CacheFullError } from "../cache/block-pool.js";
import { ContextFullError } from "../cache/block-table.js";
import { DisposedError, InvalidValueError, OutOfRangeError, UnknownOptionError } from "../core/errors.js";
import { modelFrom } from "../load-model.js";
import { createBackend } from "../load-model.node.js";
import type { Model } from "./model.js";
import { SequenceBusyError } from "./run.js";
import type { Session } from "./session.js";
import { SessionBusyError } from "./session-options.js";

let model: Model;
let stories: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 128, cache: { positions: 512 } });
  stories = await storyModel();
});
afterAll(async () => {
  await model.dispose();
  await stories.dispose();
});

describe("a session", () => {
  test("reports the token, its log-probability and the alternatives, all from one pass", async () => {
    using session = await model.session([1, 2, 3], { alternatives: 4 });
    const { token, logprob, alternatives, position, logits } = await session.step();
    const normaliser = Math.log(logits.reduce((sum, z) => sum + Math.exp(z), 0));
    expect(position).toBe(3);
    expect(alternatives).toHaveLength(4);
    expect(alternatives[0]).toEqual({ token, logprob });
    expect(logprob).toBeCloseTo(Math.max(...logits) - normaliser, 4);
    const descending = [...logits].sort((a, b) => b - a);
    expect(alternatives.map((each) => logits[each.token])).toEqual(descending.slice(0, 4));
  });

  test("takes a given token instead of choosing one", async () => {
    using session = await model.session([1]);
    expect((await session.step({ token: 42 })).token).toBe(42);
    expect(session.tokenIds).toEqual([1, 42]);
    await expect(session.step({ token: 500 })).rejects.toThrow(OutOfRangeError);
    expect(session.tokenIds).toEqual([1, 42]);
  });

  test("steps at once where nothing has to be waited for, to the same tokens", async () => {
    using waiting = await stories.session("Once upon a time");
    using hurried = await stories.session("Once upon a time");
    expect(hurried.stepNow()).toBeUndefined(); // the prompt is to be run first
    for (let i = 0; i < 20; i++) {
      const { logits, ...expected } = await waiting.step();
      const { logits: same, ...step } = i === 0 ? await hurried.step() : hurried.stepNow()!;
      expect(step).toEqual(expected);
      expect(same).toEqual(logits);
    }
  });

  test("does not step before another's turn, nor beyond the context", async () => {
    using first = await model.session([1, 2, 3]);
    using second = await model.session([4, 5, 6]);
    await second.step();
    const running = first.step();
    expect(second.stepNow()).toBeUndefined();
    expect(second.length).toBe(4);
    await running;
    await new Promise((resolve) => setTimeout(resolve, 0)); // the turn is over a little after the step
    while (second.room >= 0) expect(second.stepNow()).toBeDefined();
    expect(() => second.stepNow()).toThrow(ContextFullError);
    expect(() => first.stepNow()).not.toThrow();
  });

  test("gives text that is the tokens' text, also after a rewind", async () => {
    using session = await stories.session("Once upon a time");
    let text = "";
    for (let i = 0; i < 30; i++) text += (await session.step()).text;
    session.rewind(10);
    using again = await stories.session("Once upon a time");
    let shorter = "";
    for (let i = 0; i < 20; i++) shorter += (await again.step()).text;
    expect(text.startsWith(shorter)).toBe(true);
    expect(session.text).toBe(again.text);
    let continued = shorter;
    for (let i = 0; i < 10; i++) continued += (await session.step()).text;
    expect(continued).toBe(text);
  });

  test("forks that have other options differ; those that have not, do not", async () => {
    using parent = await model.session([1, 2], { sampling: { temperature: 1, seed: 4 } });
    await parent.take(3);
    using same = parent.fork();
    using other = parent.fork({ sampling: { seed: 5 } });
    const expected = await parent.take(20);
    expect(await same.take(20)).toEqual(expected);
    expect(await other.take(20)).not.toEqual(expected);
    expect(same.seed).toBe(4);
  });

  test("forks of a greedy session are greedy, however that was said", async () => {
    for (const sampling of [undefined, {}, { temperature: undefined }, { temperature: 0 }]) {
      using parent = await model.session([1, 2], { sampling });
      using fork = parent.fork();
      expect(await fork.take(12)).toEqual(await parent.take(12));
    }
  });

  test("forks whatever its length", async () => {
    const prompt = new Array<number>(300_000).fill(7);
    using session = await model.session(prompt);
    using fork = session.fork();
    expect(fork.length).toBe(prompt.length);
  });

  test("a fork with options that make no sense holds nothing", async () => {
    using session = await model.session([1, 2]);
    await session.step();
    const used = model.engine.pool.used;
    expect(() => session.fork({ sampling: { topK: 0 } })).toThrow(OutOfRangeError);
    expect(() => session.fork({ seed: 1 } as never)).toThrow(UnknownOptionError);
    session.dispose();
    expect(model.engine.pool.used).toBe(used - 1);
  });

  test("does one thing at a time", async () => {
    using session = await model.session([1, 2, 3]);
    const first = session.step();
    const others = [session.step(), session.logits(), session.append([4])];
    expect(() => session.extend([4])).toThrow(SessionBusyError);
    expect(() => session.rewind(1)).toThrow(SessionBusyError);
    expect(() => session.fork()).toThrow(SessionBusyError);
    for (const other of others) await expect(other).rejects.toThrow(SessionBusyError);
    const { token } = await first;
    using fresh = await model.session([1, 2, 3]);
    expect([token, ...(await session.take(4))]).toEqual(await fresh.take(5));
  });

  test("may be disposed while it runs: its memory comes back when the run has ended", async () => {
    const before = model.engine.pool.used;
    const session = await model.session(Array.from({ length: 120 }, (_, i) => i));
    const step = session.step();
    session.dispose();
    await expect(step).rejects.toThrow(DisposedError);
    expect(model.engine.pool.used).toBe(before);
  });

  test("refuses what cannot be, and is unharmed", async () => {
    using session = await model.session([1, 2, 3]);
    expect(() => session.rewind(4)).toThrow(OutOfRangeError);
    expect(() => session.rewind(0.5)).toThrow(OutOfRangeError);
    await expect(session.append([9999])).rejects.toThrow(OutOfRangeError);
    await expect(session.append("text")).rejects.toThrow(InvalidValueError);
    expect(session.tokenIds).toEqual([1, 2, 3]);
    using fresh = await model.session([1, 2, 3]);
    expect(await session.take(5)).toEqual(await fresh.take(5));
  });

  test("an empty timeline cannot be stepped", async () => {
    using session = await model.session([1]);
    session.rewind(1);
    await expect(session.step()).rejects.toThrow(InvalidValueError);
  });

  test("says that it was disposed", async () => {
    const session = await model.session([1]);
    session.dispose();
    session.dispose();
    await expect(session.step()).rejects.toThrow(DisposedError);
    expect(() => session.fork()).toThrow(DisposedError);
    expect(() => session.rewind(1)).toThrow(DisposedError);
  });
});

describe("limits", () => {
  test("a sequence ends at the context length", async () => {
    using session = await model.session(new Array<number>(127).fill(7));
    await session.step();
    expect(session.room).toBe(0);
    await session.step();
    await expect(session.step()).rejects.toThrow(ContextFullError);
    await expect(model.logits(new Array<number>(129).fill(7))).rejects.toThrow(ContextFullError);
  });

  test("a full cache says so, and goes on when sessions are disposed", async () => {
    const sessions: Session[] = [];
    const open = async () => {
      // Other tokens each time: what is the same is shared.
      const session = await model.session(new Array<number>(100).fill(3 + sessions.length));
      sessions.push(session);
      await session.step();
    };
    for (let i = 0; i < 4; i++) await open();
    await expect(open()).rejects.toThrow(CacheFullError);
    for (const session of sessions) session.dispose();
    await open();
    sessions.at(-1)!.dispose();
    expect(model.engine.pool.used).toBe(0);
  });

  test("one sequence cannot stand twice in one run", async () => {
    const sequence = await model.engine.sequence();
    const part = { sequence, ids: [1], outputs: "last" as const };
    await expect(model.engine.advance([part, part])).rejects.toThrow(SequenceBusyError);
    sequence.dispose();
    expect(model.engine.pool.used).toBe(0);
  });

  test("10,000 sessions opened, forked and disposed leave the cache empty", async () => {
    for (let i = 0; i < 10_000; i++) {
      const session = await model.session([i % 500, 2]);
      if (i % 100 === 0) await session.step();
      session.fork().dispose();
      session.dispose();
    }
    expect(model.engine.pool.used).toBe(0);
  });
});

describe("an abort signal", () => {
  test("stops between runs; the session goes on from where it was", async () => {
    const prompt = Array.from({ length: 100 }, (_, i) => i);
    using session = await model.session(prompt);
    await expect(session.logits(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    using fresh = await model.session(prompt);
    expect(await session.take(3)).toEqual(await fresh.take(3));
  });
});

describe("sessions at the same time", () => {
  test("do not disturb each other", async () => {
    const prompts = [[1], [2, 3], [4, 5, 6]];
    const alone = [];
    for (const prompt of prompts) {
      using session = await model.session(prompt);
      alone.push(await session.take(20));
    }
    const together = await Promise.all(
      prompts.map(async (prompt) => {
        using session = await model.session(prompt);
        const tokens = await session.take(20);
        return tokens;
      }),
    );
    expect(together).toEqual(alone);
  });
});

describe("two models on one backend", () => {
  test("take turns, also when they run off the event loop", async () => {
    const backend = await createBackend({ threads: 2 });
    const load = (seed: number) => modelFrom(randomLlama(smallShape, "f32", seed), backend, {}, async () => {});
    const models = [await load(1), await load(2)];
    const take = async (each: Model) => {
      using session = await each.session([1, 2, 3]);
      return await session.take(20);
    };
    const alone = [await take(models[0]!), await take(models[1]!)];
    for (const { engine } of models) Object.defineProperty(engine.network, "weightBytes", { value: 2 ** 40 });
    expect(await Promise.all(models.map(take))).toEqual(alone);
    for (const each of models) await each.dispose();
    await backend.dispose();
  });
});

describe("options", () => {
  test("that nobody knows are refused", async () => {
    await expect(model.session([1], { temperature: 1 } as never)).rejects.toThrow(UnknownOptionError);
    await expect(model.session([1], { alternatives: 501 })).rejects.toThrow(OutOfRangeError);
    await expect(randomModel({ cache: { blocks: 4 } as never })).rejects.toThrow(UnknownOptionError);
    using session = await model.session([1]);
    await expect(session.step({ tokens: 5 } as never)).rejects.toThrow(UnknownOptionError);
    expect(model.engine.pool.used).toBe(0);
  });
});
