import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomModel } from "../../test/support/tiny-model.js";
import { OutOfRangeError, UnknownOptionError } from "../core/errors.js";
import type { Model } from "./model.js";
import type { SessionOptions } from "./session-options.js";

let model: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 4096, cache: { positions: 16_384 } });
});
afterAll(() => model.dispose());

const ids = (stream: number, count: number) => Array.from({ length: count }, (_, i) => (i * 7 + stream * 131) % 500);

/** Tokens that a session's first step runs. */
async function firstRun(prompt: number[], options: SessionOptions = {}, where = model): Promise<number> {
  using session = await where.session(prompt, options);
  let run = 0;
  await session.step({
    onProgress: (done) => {
      run = done;
    },
  });
  return run;
}

describe("what sessions begin with", () => {
  test("is run once: of 2,000 shared tokens the first token waits for 16", async () => {
    const prompt = ids(1, 2000);
    expect(await firstRun(prompt)).toBe(2000);
    expect(await firstRun(prompt)).toBe(16);
    expect(await firstRun([...prompt.slice(0, 1000), ...ids(2, 100)])).toBe(1100 - 992);
    expect(model.engine.pool.used).toBe(0);
  });

  test("holds what was generated too, so that a conversation goes on where it was", async () => {
    using session = await model.session(ids(3, 50));
    await session.take(50);
    const said = [...session.tokenIds];
    session.dispose();
    expect(await firstRun([...said, ...ids(4, 12)])).toBe(112 - 96);
  });

  test("is taken over by sessions that were edited, too", async () => {
    expect(await firstRun(ids(5, 320))).toBe(320);
    using session = await model.session([...ids(5, 160), ...ids(6, 160)]);
    await session.logits();
    session.splice(160, 160, ids(5, 320).slice(160));
    expect(await firstRun([...session.tokenIds])).toBe(16);
    let run = 0;
    await session.logits(undefined, (done) => {
      run = done;
    });
    expect(run).toBe(16);
  });

  test("is kept apart by salts, and not at all where nobody wants it", async () => {
    const prompt = ids(7, 100);
    expect(await firstRun(prompt, { cache: { salt: "a" } })).toBe(100);
    expect(await firstRun(prompt)).toBe(100);
    expect(await firstRun(prompt, { cache: { salt: "a" } })).toBe(4);
    expect(await firstRun(prompt, { cache: { share: false } })).toBe(100);
    expect(await firstRun(ids(8, 100), { cache: { share: false } })).toBe(100);
    expect(await firstRun(ids(8, 100))).toBe(100);
    const alone = await randomModel({ cache: { prefixes: false } });
    expect([await firstRun(prompt, {}, alone), await firstRun(prompt, {}, alone)]).toEqual([100, 100]);
    expect(alone.prefixes).toBeUndefined();
    await alone.dispose();
  });

  test("serves samples and beam searches, to the bit", async () => {
    const prompt = ids(10, 200);
    const alone = await randomModel({ contextLength: 4096, cache: { prefixes: false } });
    const ask = async (where: Model) => [
      await where.sample(prompt, { count: 3, maxTokens: 5, sampling: { temperature: 1, seed: 2 } }),
      await where.beamSearch(prompt, { beams: 3, maxTokens: 5 }),
    ];
    const expected = await ask(alone);
    await alone.dispose();
    const { tokensSaved } = model.prefixes!;
    expect(await ask(model)).toEqual(expected);
    expect(await ask(model)).toEqual(expected);
    expect(model.prefixes!.tokensSaved - tokensSaved).toBe(3 * 192);
    expect(model.engine.pool.used).toBe(0);
  });

  test("gives way when sessions need the room", async () => {
    const small = await randomModel({ contextLength: 160, cache: { positions: 320, prefixes: { bytes: 2 ** 30 } } });
    for (let i = 0; i < 10; i++) {
      using first = await small.session(ids(i, 150));
      using second = await small.session(ids(i + 20, 150));
      await first.take(3);
      await second.take(3);
    }
    expect(small.engine.pool.used).toBe(0);
    expect(small.prefixes!.evictions).toBeGreaterThan(100);
    expect(small.prefixes!.blocks).toBeLessThanOrEqual(20);
    await small.dispose();
  });

  test("options of it that make no sense are refused", async () => {
    await expect(randomModel({ cache: { prefixes: { bytes: -1 } } })).rejects.toThrow(OutOfRangeError);
    await expect(randomModel({ cache: { prefixes: { blocks: 1 } as never } })).rejects.toThrow(UnknownOptionError);
    await expect(model.session([1], { cache: { salted: true } as never })).rejects.toThrow(UnknownOptionError);
  });

  test("a fork of 4,000 tokens takes no block until it writes, and then one", async () => {
    using session = await model.session(ids(9, 4000), { cache: { share: false } });
    await session.logits();
    const { used } = model.engine.pool;
    const forks = Array.from({ length: 20 }, () => session.fork());
    expect(model.engine.pool.used).toBe(used);
    await forks[0]!.append([5]);
    expect(model.engine.pool.used).toBe(used + 1);
    for (const fork of forks) fork.dispose();
  });
});
