import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomModel, storyModel } from "../../../test/support/tiny-model.js";
import { InvalidValueError, UnknownOptionError } from "../../core/errors.js";
import type { Model } from "../model.js";
import type { Session } from "../session.js";
import { ConstraintViolationError, EmptyConstraintError, GrammarSyntaxError } from "./errors.js";

let model: Model;

beforeAll(async () => {
  model = await storyModel();
});
afterAll(async () => {
  await model.dispose();
});

const prompt = "Once upon a time";
const free = { temperature: 2, seed: 5 };

async function complete(options: Parameters<Model["generate"]>[1]): Promise<{ text: string; stop: unknown }> {
  let [text, stop]: [string, unknown] = ["", undefined];
  for await (const step of model.generate(prompt, options)) {
    text += step.text;
    stop = step.stop;
  }
  return { text, stop };
}

/** Ids that may come next. */
function allowed(session: Session): number[] {
  const { constraint, state } = session.constraint!;
  const { bits } = constraint.mask(state);
  return Array.from({ length: model.config.vocabSize }, (_, id) => id).filter(
    (id) => (bits[id >> 5] >>> (id & 31)) & 1,
  );
}

describe("constrained output", () => {
  test("is always a text that the expression matches, whatever the model would rather say", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { text, stop } = await complete({
        constraint: { regex: "[A-Z]{2}-\\d{4}(é|日|😀)?" },
        sampling: { temperature: 3, seed },
      });
      expect(text).toMatch(/^[A-Z]{2}-\d{4}(é|日|😀)?$/u);
      expect(["constraint", "end"]).toContain((stop as { kind: string }).kind);
    }
  });

  test("is one of the choices; greedy, the one whose tokens the model finds likeliest at each step", async () => {
    const choices = [", there was", ", there lived a dragon", "zzz"];
    const { text, stop } = await complete({ constraint: { choices } });
    expect(choices).toContain(text);
    expect(text).not.toBe("zzz");
    expect(stop).toEqual({ kind: "constraint" });
    const one = await complete({ constraint: { choices: ["zzz"] } });
    expect(one.text).toBe("zzz");
  });

  test("allows just the tokens whose bytes can go on, by a look at each of them", async () => {
    const regex = "( [a-z]+,?)+\\.\n?|é?日?";
    using session = await model.session(prompt, { constraint: { regex }, sampling: free });
    const { constraint } = session.constraint!;
    for (let i = 0; i < 12 && !session.constraint!.isComplete; i++) {
      const { state } = session.constraint!;
      const literal = Array.from({ length: model.config.vocabSize }, (_, id) => id).filter(
        (id) => constraint.advance(state, id) !== undefined,
      );
      expect(allowed(session)).toEqual(literal);
      expect(constraint.mask(state).count).toBe(literal.length);
      await session.step();
    }
  });

  test("changes nothing where the model's own choice is allowed", async () => {
    using plain = await model.session(prompt);
    using held = await model.session(prompt, { constraint: { regex: "[^]*" } });
    expect(await held.take(30)).toEqual(await plain.take(30));
  });

  test("ends only where it may, and with nothing but an end token there", async () => {
    using session = await model.session(prompt, { constraint: { regex: "ab|abc" } });
    const ends = allowed(session).filter((id) => model.endIds.includes(id));
    expect(ends).toEqual([]);
    session.extend(model.tokenizer.encode("ab", { addSpecialTokens: false }).slice(-2));
    expect(session.text).toBe(`${prompt}ab`);
    expect(session.constraint!.mayEnd).toBe(true);
    expect(allowed(session).filter((id) => model.endIds.includes(id))).toEqual([...model.endIds]);
    await session.step({ token: model.tokenizer.encode("c", { addSpecialTokens: false }).at(-1)! });
    expect(session.constraint!.isComplete).toBe(true);
    expect(allowed(session)).toEqual([...model.endIds]);
    const { token } = await session.step();
    expect(model.endIds).toContain(token);
  });

  test("follows the timeline: rewound, forked and freed", async () => {
    const constraint = { regex: "[a-z]{3}[0-9]{3}" };
    using fresh = await model.session(prompt, { constraint, sampling: free });
    const expected = await fresh.take(3);
    using session = await model.session(prompt, { constraint, sampling: free });
    await session.take(3);
    session.rewind(2);
    using fork = session.fork();
    expect([...session.tokenIds.slice(-1), ...(await session.take(2))]).toEqual(expected);
    expect([...fork.tokenIds.slice(-1), ...(await fork.take(2))]).toEqual(expected);
    session.rewind(session.length - 2); // into the prompt: the constraint begins anew
    expect(session.constraint!.from).toBe(2);
    session.constrain(undefined);
    expect(session.constraint).toBeUndefined();
    await session.take(2);
  });

  test("holds for tokens that are given, too, and leaves the timeline as it was", async () => {
    using session = await model.session(prompt, { constraint: { regex: "a+" } });
    const before = [...session.tokenIds];
    const [z] = model.tokenizer.encode("z", { addSpecialTokens: false }).slice(-1);
    const [a] = model.tokenizer.encode("a", { addSpecialTokens: false }).slice(-1);
    await expect(session.step({ token: z })).rejects.toThrow(ConstraintViolationError);
    expect(() => session.extend([a, z])).toThrow(ConstraintViolationError);
    expect(session.tokenIds).toEqual(before);
    session.extend([a]);
    expect(session.constraint!.mayEnd).toBe(true);
  });

  test("holds every beam of a search", async () => {
    const constraint = model.constraint({ regex: " (the|a) [a-z]{3,6}( [a-z]{2,6}){1,3}\\." });
    const found = await model.beamSearch(prompt, {
      beams: 4,
      count: 4,
      maxTokens: 40,
      lengthPenalty: 0,
      processors: [constraint.processor()],
    });
    expect(found.length).toBe(4);
    for (const { text } of found) expect(text).toMatch(/^ (the|a) [a-z]{3,6}( [a-z]{2,6}){1,3}\.$/);
    expect(new Set(found.map(({ text }) => text)).size).toBe(4);
  });

  test("refuses what cannot be meant", async () => {
    const open = (constraint: object) => model.session(prompt, { constraint: constraint as never });
    await expect(open({ regex: "(" })).rejects.toThrow(GrammarSyntaxError);
    await expect(open({ regex: "a[]" })).rejects.toThrow(EmptyConstraintError);
    await expect(open({ choices: [] })).rejects.toThrow(EmptyConstraintError);
    await expect(open({ regex: "a", choices: ["a"] })).rejects.toThrow(InvalidValueError);
    await expect(open({})).rejects.toThrow(InvalidValueError);
    await expect(open({ regexp: "a" })).rejects.toThrow(UnknownOptionError);
    await using bare = await randomModel();
    await expect(bare.session([1], { constraint: { regex: "a" } })).rejects.toThrow(InvalidValueError);
  });
});
