import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomLlama, smallShape } from "../../../test/support/random-llama.js";
import { encoderDecoderModel, randomModel, storyModel } from "../../../test/support/tiny-model.js";
import { CacheFullError } from "../../cache/block-pool.js";
import { crc32 } from "../../core/checksum.js";
import {
  DisposedError,
  FormatError,
  InvalidValueError,
  TruncatedFileError,
  UnsupportedError,
} from "../../core/errors.js";
import { modelFrom } from "../../load-model.js";
import { createBackend } from "../../load-model.node.js";
import type { Model } from "../model.js";
import type { SessionOptions } from "../session-options.js";
import { readSaved, writeSaved } from "./format.js";
import { CacheLayoutError, OtherModelError } from "./restore.js";

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

const prompt = Array.from({ length: 50 }, (_, i) => (i * 37) % 500);

/** A session that has stepped a little, and the same restored. */
async function saved(options: SessionOptions = {}, where = model) {
  const session = await where.session(prompt, options);
  await session.take(7);
  const bytes = await session.save();
  return { session, bytes };
}

/** The bytes with something in the header changed, and checksums that fit. */
function changed(bytes: Uint8Array, change: object): Uint8Array {
  const file = readSaved(bytes);
  return writeSaved({ ...file, header: { ...file.header, ...change } });
}

describe("a restored session", () => {
  test.each<[string, SessionOptions]>([
    ["greedy", {}],
    ["drawing", { sampling: { temperature: 0.9, topP: 0.9 } }],
    ["with mirostat", { sampling: { mirostat: { version: 2, tau: 4 }, seed: 3 } }],
    [
      "with penalties and biases",
      {
        sampling: { temperature: 1, seed: 8 },
        penalties: { frequencyPenalty: 0.5, repetitionPenalty: 1.1, dry: { multiplier: 1 } },
        tokens: { logitBias: { 3: Number.NEGATIVE_INFINITY, 4: false, 5: 2 }, minNewTokens: 4 },
        alternatives: 2,
      },
    ],
    ["that shifts", { contextShift: { keep: 2, discard: 40 }, sampling: { temperature: 1, seed: 1 } }],
  ])("continues to the bit without running a token again: %s", async (_, options) => {
    const { session, bytes } = await saved(options);
    using restored = await model.restore(Buffer.from(bytes));
    expect(restored.tokenIds).toEqual(session.tokenIds);
    expect(restored.seed).toBe(session.seed);
    let run = 0;
    const step = await restored.step({
      onProgress: (done) => {
        run = done;
      },
    });
    expect(run).toBe(1); // the last token, which the saved session had not run yet either
    expect(step.token).toBe((await session.step()).token);
    expect((await restored.logits()).slice()).toEqual((await session.logits()).slice());
    expect(await restored.take(90).catch(String)).toEqual(await session.take(90).catch(String));
    session.dispose();
  });

  test("logits that were there are there again", async () => {
    const { session } = await saved();
    const expected = (await session.logits()).slice();
    using restored = await model.restore(await session.save());
    const logits = await restored.logits(undefined, () => expect.unreachable("nothing is to be run"));
    expect(logits.slice()).toEqual(expected);
    session.dispose();
  });

  test("text and constraints go on where they stood", async () => {
    const constraint = { regex: "( the cat| the dog){3} sat" };
    using session = await stories.session("Once upon a time", { constraint });
    await session.take(4);
    using restored = await stories.restore(await session.save());
    const ends = async (each: typeof session) => {
      while (!each.constraint!.isComplete) await each.step();
      return each.text;
    };
    expect(await ends(restored)).toBe(await ends(session));
    restored.rewind(3);
    expect(restored.constraint?.isComplete).toBe(false);
  });

  test("an encoder-decoder session keeps its source", async () => {
    const t5 = await encoderDecoderModel();
    try {
      using session = await t5.session({ source: [5, 6, 7, 8] });
      await session.take(3);
      using restored = await t5.restore(await session.save());
      expect(await restored.take(10)).toEqual(await session.take(10));
    } finally {
      await t5.dispose();
    }
  });

  test("own processors are given again", async () => {
    const processors = [{ name: "sevens", process: (scores: Float32Array) => scores.fill(5, 7, 8) }];
    const { session, bytes } = await saved({ processors });
    await expect(model.restore(bytes)).rejects.toThrow(InvalidValueError);
    using restored = await model.restore(bytes, { processors });
    expect(await restored.take(3)).toEqual(await session.take(3));
    session.dispose();
    const prefixAllowedTokens = () => [1];
    using other = await model.session(prompt, { tokens: { prefixAllowedTokens } });
    await expect(other.save()).rejects.toThrow(UnsupportedError);
  });

  test("holds nothing of what other sessions left in the cache, and is the same file twice", async () => {
    using session = await model.session(prompt.slice(0, 5));
    await session.logits();
    const first = await session.save();
    const others = await Promise.all([1, 2, 3].map((id) => model.session(new Array<number>(100).fill(id))));
    for (const other of others) await other.step();
    for (const other of others) other.dispose();
    using again = await model.session(prompt.slice(0, 5), { sampling: { seed: session.seed } });
    await again.logits();
    const blocks = readSaved(await again.save()).blocks;
    expect(blocks).toEqual(readSaved(first).blocks);
  });
});

describe("a file that does not fit", () => {
  test("of another model: other weights, other configuration, other storage", async () => {
    const { session, bytes } = await saved();
    session.dispose();
    const others = [
      randomLlama(smallShape, "f32", 2),
      randomLlama(smallShape, "q8_0"),
      randomLlama({ ...smallShape, keyValueHeadCount: 6 }),
    ];
    for (const checkpoint of others) {
      const backend = await createBackend();
      const other = await modelFrom(checkpoint, backend, {}, () => backend.dispose());
      await expect(other.restore(bytes)).rejects.toThrow(OtherModelError);
      expect(other.engine.pool.used).toBe(0);
      await other.dispose();
    }
    const same = await randomModel();
    (await same.restore(bytes)).dispose();
    await same.dispose();
  });

  test("of another cache: a typed error, and the tokens can be run again", async () => {
    const { session, bytes } = await saved({ sampling: { temperature: 1, seed: 2 } });
    const reference = await randomModel({ backend: "reference" });
    await expect(reference.restore(bytes)).rejects.toThrow(CacheLayoutError);
    using restored = await reference.restore(bytes, { recompute: true });
    expect(restored.tokenIds).toEqual(session.tokenIds);
    await restored.step();
    await reference.dispose();
    using here = await model.restore(bytes, { recompute: true });
    expect(await here.take(9)).toEqual(await session.take(9));
    session.dispose();
  });

  test("too large for the cache, or the context", async () => {
    const { session, bytes } = await saved();
    session.dispose();
    const tiny = await randomModel({ contextLength: 128, cache: { positions: 32 } });
    await expect(tiny.restore(bytes)).rejects.toThrow(CacheFullError);
    expect(tiny.engine.pool.used).toBe(0);
    await tiny.dispose();
  });

  test("damaged, cut, or no such file", async () => {
    const { session, bytes } = await saved();
    session.dispose();
    for (const at of [0, 9, 30, bytes.length - 1]) {
      const damaged = bytes.slice();
      damaged[at]! ^= 1;
      await expect(model.restore(damaged)).rejects.toThrow(at === 9 ? UnsupportedError : FormatError);
    }
    for (const length of [0, 20, 100, bytes.length - 1]) {
      await expect(model.restore(bytes.slice(0, length))).rejects.toThrow(TruncatedFileError);
    }
    await expect(model.restore(new Uint8Array([...bytes, 0]))).rejects.toThrow(FormatError);
    expect(model.engine.pool.used).toBe(0);
  });

  test("with checksums that fit and claims that do not", async () => {
    const { session, bytes } = await saved();
    session.dispose();
    const claims: [object, RegExp][] = [
      [{ tokens: 2 ** 40 }, /tokens needs/],
      [{ positions: 2 ** 50 }, /blocks needs/],
      [{ tokens: -1 }, /tokens: must be/],
      [{ blockSize: 0 }, /blockSize/],
      [{ options: 5 }, /options/],
      [{ options: { sampling: { topK: 0 } } }, /topK/],
      [{ options: { tokens: { badWords: 5 } } }, /options: make no sense|badWords/],
      [{ options: { anything: 5 } }, /anything/],
      [{ constraint: { source: { regex: "(" }, from: 0, atTextStart: false } }, /./],
      [{ constraint: { source: 7, from: 9, atTextStart: false } }, /constraint/],
      [{ seed: -1 }, /seed/],
      [{ limits: [[1]] }, /limits/],
    ];
    for (const [claim, message] of claims) {
      const file = changed(bytes, claim);
      await expect(model.restore(file), JSON.stringify(claim)).rejects.toMatchObject({
        code: expect.any(String),
        message: expect.stringMatching(message),
      });
    }
    expect(model.engine.pool.used).toBe(0);
  });

  test("a session that was disposed cannot be saved", async () => {
    const { session } = await saved();
    session.dispose();
    await expect(session.save()).rejects.toThrow(DisposedError);
  });
});

test("CRC-32 is the usual one", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  const text = new TextEncoder().encode("The quick brown fox jumps over the lazy dog");
  expect(crc32(text)).toBe(0x414fa339);
  expect(crc32(text.subarray(0, 0))).toBe(0);
});
