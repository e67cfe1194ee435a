import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomModel, storyModel } from "../../test/support/tiny-model.js";
import { OutOfRangeError } from "../core/errors.js";
import { ConstraintViolationError } from "./constrain/errors.js";
import type { Model } from "./model.js";
import type { Session } from "./session.js";

let model: Model;
let stories: Model;

beforeAll(async () => {
  model = await randomModel({ contextLength: 128, cache: { prefixes: false } });
  stories = await storyModel();
});
afterAll(async () => {
  await model.dispose();
  await stories.dispose();
});

/** What a fresh session with the same tokens and options predicts and draws. */
async function expectAsFresh(session: Session): Promise<void> {
  using fresh = await model.session([...session.tokenIds], { sampling: session.options.sampling });
  expect((await session.logits()).slice()).toEqual((await fresh.logits()).slice());
  expect(await session.take(5)).toEqual(await fresh.take(5));
}

const prompt = Array.from({ length: 50 }, (_, i) => (i * 37) % 500);

describe("editing", () => {
  test("a token at any place gives what a fresh session with those tokens gives", async () => {
    for (const position of [0, 15, 16, 40, 49]) {
      using session = await model.session(prompt, { sampling: { temperature: 1, seed: 3 } });
      await session.take(8);
      session.edit(position, 7);
      expect(session.tokenIds[position]).toBe(7);
      expect(session.length).toBe(58);
      await expectAsFresh(session);
    }
  });

  test("keeps what stands before, and runs no more than it must", async () => {
    using session = await model.session(prompt);
    await session.logits();
    session.edit(40, 7);
    let run = 0;
    await session.logits(undefined, (done) => {
      run = done;
    });
    expect(run).toBe(10);
    session.edit(40, 7);
    await session.logits(undefined, () => expect.unreachable("nothing has changed"));
    session.splice(49, 1, [session.tokenIds[49]!, 3]);
    await session.logits(undefined, (done) => {
      run = done;
    });
    expect(run).toBe(1);
  });

  test("splices tokens in and out", async () => {
    using session = await model.session(prompt);
    await session.take(4);
    session.splice(10, 3);
    session.splice(20, 0, [1, 2, 3, 4, 5]);
    session.splice(session.length, 0, [9]);
    const expected = [...prompt.slice(0, 10), ...prompt.slice(13, 23), 1, 2, 3, 4, 5, ...prompt.slice(23)];
    expect(session.tokenIds.slice(0, expected.length)).toEqual(expected);
    expect(session.tokenIds.at(-1)).toBe(9);
    await expectAsFresh(session);
    session.splice(0, session.length, [5, 6]);
    await expectAsFresh(session);
  });

  test("leaves forks as they were", async () => {
    using session = await model.session(prompt);
    await session.logits();
    using fork = session.fork();
    session.edit(20, 1);
    await expectAsFresh(session);
    await expectAsFresh(fork);
  });

  test("mirostat forgets what it drew behind the place", async () => {
    const sampling = { mirostat: { version: 2 as const }, seed: 5 };
    using session = await model.session(prompt, { sampling });
    await session.take(12);
    session.edit(49, 3);
    // The tokens that were drawn are given tokens now: as in a session that never drew.
    await expectAsFresh(session);
  });

  test("refuses what cannot be, and is unharmed", async () => {
    using session = await model.session([1, 2, 3]);
    expect(() => session.edit(3, 1)).toThrow(OutOfRangeError);
    expect(() => session.edit(-1, 1)).toThrow(OutOfRangeError);
    expect(() => session.edit(1, 500)).toThrow(OutOfRangeError);
    expect(() => session.splice(1, 3)).toThrow(OutOfRangeError);
    expect(session.tokenIds).toEqual([1, 2, 3]);
    await expectAsFresh(session);
  });

  test("a constraint goes along, and a token that it forbids changes nothing", async () => {
    using session = await stories.session("Once", { constraint: { regex: "( the| a)( cat| dog) .*" } });
    const encode = (text: string) => stories.tokenizer.encode(text, { addSpecialTokens: false });
    const [from, written] = [session.length, encode(" the cat sat")];
    session.extend(written);
    const before = [...session.tokenIds];
    expect(() => session.splice(from, written.length, encode(" no"))).toThrow(ConstraintViolationError);
    expect(session.tokenIds).toEqual(before);
    session.splice(from, written.length, encode(" a dog ran"));
    expect(session.constraint?.mayEnd).toBe(true);
    session.splice(0, 0, encode("Well."));
    expect(session.constraint?.from).toBe(from + encode("Well.").length);
    expect(session.constraint?.mayEnd).toBe(true);
    session.rewind(session.length - session.constraint!.from);
    expect(() => session.extend(encode(" no"))).toThrow(ConstraintViolationError);
  });

  test("text goes on where it stands", async () => {
    using session = await stories.session("Once upon a time");
    await session.take(10);
    session.edit(2, stories.tokenizer.encode("x", { addSpecialTokens: false })[0]!);
    using fresh = await stories.session([...session.tokenIds]);
    let [text, expected] = ["", ""];
    for (let i = 0; i < 10; i++) {
      text += (await session.step()).text;
      expected += (await fresh.step()).text;
    }
    expect(text).toBe(expected);
    expect(session.text).toBe(fresh.text);
  });
});
