import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { randomLlama, smallShape } from "../../../test/support/random-llama.js";
import { tinyModel } from "../../../test/support/tiny-checkpoint.js";
import { encoderDecoderModel, storyModel } from "../../../test/support/tiny-model.js";
import { InvalidValueError, OutOfRangeError, UnknownOptionError } from "../../core/errors.js";
import { modelFrom } from "../../load-model.js";
import { createBackend, loadModel } from "../../load-model.node.js";
import { VocabularyMismatchError } from "../compare.js";
import type { GenerationOptions, GenerationStep } from "../generate.js";
import type { Model } from "../model.js";
import { DraftProposer } from "./draft.js";
import { DraftChoice } from "./draft-choice.js";
import type { SpeculationOptions } from "./options.js";
import type { Proposer } from "./proposer.js";
import { RetokenisedDraft } from "./retokenised-draft.js";

let model: Model;
let other: Model;
const prompt = [5, 17, 300, 5, 17, 42, 8];

async function randomModel(seed: number, vocabSize = smallShape.vocabSize): Promise<Model> {
  const backend = await createBackend({});
  const options = { contextLength: 128, cache: { positions: 1024 } };
  return modelFrom(randomLlama({ ...smallShape, vocabSize }, "f32", seed), backend, options, () => backend.dispose());
}

beforeAll(async () => {
  model = await randomModel(1);
  other = await randomModel(2);
});
afterAll(async () => {
  await model.dispose();
  await other.dispose();
});

/** All steps of a completion without what belongs to speculation alone. */
async function stepsOf(options: GenerationOptions, from: Model = model): Promise<GenerationStep[]> {
  const steps: GenerationStep[] = [];
  for await (const { speculation, ...step } of from.generate(prompt, options)) steps.push(step);
  return steps;
}

async function reportOf(options: GenerationOptions) {
  let last: GenerationStep | undefined;
  for await (const step of model.generate(prompt, options)) last = step;
  return last!.speculation!;
}

/** A proposer that knows the completion, and is wrong at every `wrong`-th place. */
function oracle(completion: readonly number[], wrong: number): Proposer {
  return {
    name: "oracle",
    propose: ({ ids, count }) => {
      const at = ids.length - prompt.length;
      const tokens = completion.slice(at, at + count);
      return { tokens: tokens.map((token, i) => ((at + i) % wrong === wrong - 1 ? (token + 1) % 500 : token)) };
    },
  };
}

const fixed = { adaptive: false } as const;
const kinds: [string, () => SpeculationOptions][] = [
  ["a random draft", () => ({ draft: other, tokens: 4 })],
  ["itself as its draft", () => ({ draft: model, tokens: 4 })],
  ["prompt lookup", () => ({ lookup: { shortest: 1 }, tokens: 4 })],
  ["early exit", () => ({ earlyExit: 1, tokens: 4 })],
  ["Jacobi", () => ({ jacobi: true, tokens: 5 })],
  ["lookahead", () => ({ lookahead: { window: 4, ngram: 3, verified: 3 } })],
];

describe.each(kinds)("speculation by %s", (_, speculation) => {
  test.each([fixed, {}])("gives what greedy decoding gives, to the bit: %o", async (how) => {
    const plain = { maxTokens: 60, alternatives: 2 };
    const expected = await stepsOf(plain);
    expect(await stepsOf({ ...plain, speculation: { ...speculation(), ...how } })).toEqual(expected);
    expect(model.engine.pool.used + other.engine.pool.used).toBe(0);
  });

  test("gives the tokens of the seed where draws are to be the same", async () => {
    const plain = { maxTokens: 60, sampling: { temperature: 0.4, topK: 50, seed: 3 } };
    const expected = await stepsOf(plain);
    expect(await stepsOf({ ...plain, speculation: { ...speculation(), ...fixed, sameDraws: true } })).toEqual(expected);
  });

  test("stops in the middle of a pass just as without", async () => {
    const plain = await stepsOf({ maxTokens: 60 });
    for (const at of [1, 2, 9, 10, 11, 12, 13]) {
      const token = plain[at]!.token;
      const stopping = { tokenIds: [token] };
      const expected = await stepsOf({ maxTokens: 60, stopping });
      expect(await stepsOf({ maxTokens: 60, stopping, speculation: { ...speculation(), ...fixed } })).toEqual(expected);
      const short = await stepsOf({ maxTokens: at, speculation: { ...speculation(), ...fixed } });
      expect(short).toEqual(await stepsOf({ maxTokens: at }));
    }
    expect(model.engine.pool.used + other.engine.pool.used).toBe(0);
  });

  test("goes on to the last position of the context", async () => {
    const all = { maxTokens: 1000 };
    expect(await stepsOf({ ...all, speculation: { ...speculation(), ...fixed } })).toEqual(await stepsOf(all));
  });

  test("processors see what they would see without", async () => {
    const plain = { maxTokens: 50, penalties: { repetitionPenalty: 1.4, noRepeatNgramSize: 3 }, report: true };
    expect(await stepsOf({ ...plain, speculation: { ...speculation(), ...fixed } })).toEqual(await stepsOf(plain));
    const processors = [
      { name: "shift", process: async (scores: Float32Array) => scores.map((z, id) => z + (id % 7)) },
    ];
    const own = { maxTokens: 20, processors };
    expect(await stepsOf({ ...own, speculation: { ...speculation(), ...fixed } })).toEqual(await stepsOf(own));
  });
});

describe("speculation", () => {
  test("accepts every proposal of the model itself", async () => {
    const { proposed, accepted, acceptanceByPosition, meanAccepted } = await reportOf({
      maxTokens: 51,
      speculation: { draft: model, tokens: 4, adaptive: false },
    });
    expect([proposed, accepted, meanAccepted]).toEqual([40, 40, 4]);
    expect(acceptanceByPosition).toEqual([1, 1, 1, 1]);
  });

  test("accepts, at the same seed, what a draft draws in the same way", async () => {
    const sampling = { temperature: 1, seed: 5 };
    for (const sameDraws of [false, true]) {
      const speculation = { draft: model, tokens: 4, adaptive: false, sameDraws };
      const { proposed, accepted } = await reportOf({ maxTokens: 51, sampling, speculation });
      expect(accepted).toBe(proposed);
    }
  });

  test("reports by place: what was looked at, what was accepted", async () => {
    const tokens = (await stepsOf({ maxTokens: 61 })).map((step) => step.token);
    const proposer = oracle(tokens, 6);
    const report = await reportOf({ maxTokens: 60, speculation: { proposer, tokens: 4, adaptive: false } });
    // Places 1–4, 5 is wrong and 6–9, 10, 11 is wrong: six tokens in two passes.
    expect(Math.abs(report.acceptanceByPosition[0]! - 0.5)).toBeLessThan(0.1);
    expect(report.acceptanceByPosition.slice(1)).toEqual([1, 1, 1]);
    expect(report.meanProposed).toBeCloseTo(4, 0);
  });

  test("switches off where nothing is accepted, and tries again", async () => {
    const wrong: Proposer = {
      name: "wrong",
      propose: ({ ids }) => ({ tokens: Array(8).fill((ids.at(-1)! + 1) % 500) }),
    };
    const { passes, plainSteps, switchedOff } = await reportOf({ maxTokens: 100, speculation: { proposer: wrong } });
    expect(switchedOff).toBeGreaterThanOrEqual(1);
    expect(passes).toBeLessThan(12);
    expect(plainSteps).toBeGreaterThan(85);
  });

  test("takes no notice of proposals that cannot be", async () => {
    const proposer: Proposer = { name: "odd", propose: () => ({ tokens: [3, 500, -1, 2.5] }) };
    const expected = await stepsOf({ maxTokens: 20 });
    expect(await stepsOf({ maxTokens: 20, speculation: { proposer, adaptive: false } })).toEqual(expected);
  });

  test("follows whichever of several branches is right", async () => {
    const tokens = (await stepsOf({ maxTokens: 60 })).map((step) => step.token);
    const proposer: Proposer = {
      name: "branches",
      propose: ({ ids }) => {
        const at = ids.length - prompt.length;
        const right = tokens.slice(at, at + 3);
        return { tokens: [right[0]!, 1, 1], others: [[2, 3], right, [...right.slice(0, 2), 7, 8]] };
      },
    };
    const speculation = { proposer, adaptive: false };
    expect(await stepsOf({ maxTokens: 56, speculation })).toEqual(await stepsOf({ maxTokens: 56 }));
    expect((await reportOf({ maxTokens: 49, speculation })).meanAccepted).toBe(3);
    expect(model.engine.pool.used).toBe(0);
  });

  test("does without where the cache has no room for proposals", async () => {
    const backend = await createBackend({});
    const options = { contextLength: 64, cache: { positions: 64 } };
    await using small = await modelFrom(randomLlama(smallShape, "f32", 1), backend, options, () => backend.dispose());
    const plain = { maxTokens: 100 };
    const expected = await stepsOf(plain, small);
    expect(await stepsOf({ ...plain, speculation: { draft: small, adaptive: false } }, small)).toEqual(expected);
    expect(small.engine.pool.used).toBe(0);
  });

  test("refuses what it does not understand", async () => {
    const attempt = (speculation: object) => stepsOf({ speculation });
    await expect(attempt({})).rejects.toThrow(InvalidValueError);
    await expect(attempt({ lookup: true, draft: other })).rejects.toThrow(InvalidValueError);
    await expect(attempt({ lookup: true, tokens: 0 })).rejects.toThrow(OutOfRangeError);
    await expect(attempt({ lookup: { shortest: 0 } })).rejects.toThrow(OutOfRangeError);
    await expect(attempt({ lookup: true, speed: 2 })).rejects.toThrow(UnknownOptionError);
    await using wider = await randomModel(3, 510);
    await expect(attempt({ draft: wider })).rejects.toThrow(VocabularyMismatchError);
    expect(model.engine.pool.used).toBe(0);
  });
});

describe("Jacobi decoding", () => {
  test("reaches the greedy completion in at most as many passes as it has tokens", async () => {
    for (const tokens of [1, 3, 12]) {
      const report = await reportOf({ maxTokens: 41, speculation: { jacobi: true, tokens, adaptive: false } });
      expect(report.passes).toBeLessThanOrEqual(40);
      expect(report.accepted + report.passes).toBeGreaterThanOrEqual(40 - tokens);
    }
  });
});

describe("speculation with text", () => {
  let stories: Model;
  let letters: Model;

  beforeAll(async () => {
    stories = await storyModel();
    letters = await loadModel(tinyModel());
  });
  afterAll(async () => {
    await stories.dispose();
    await letters.dispose();
  });

  async function textOf(options: GenerationOptions): Promise<[string, GenerationStep]> {
    let text = "";
    let last: GenerationStep | undefined;
    for await (const step of stories.generate("Once upon a time", options)) {
      text += step.text;
      last = step;
    }
    return [text, last!];
  }

  const ways: [string, () => SpeculationOptions][] = [
    ["a draft of another vocabulary", () => ({ draft: letters })],
    ["itself as its draft", () => ({ draft: stories })],
    ["prompt lookup", () => ({ lookup: true })],
    ["early exit", () => ({ earlyExit: 2 })],
    ["Jacobi", () => ({ jacobi: true })],
    ["lookahead", () => ({ lookahead: true })],
  ];

  test.each(ways)("keeps to a constraint, and to where a stop string ends it: %s", async (_, way) => {
    const regex = "( (cat|dog|bird)[a-z]{0,3}(,|\\.)){1,12}";
    const endings: GenerationOptions[] = [{ constraint: { regex } }, { stopping: { strings: ["was", "d t"] } }];
    for (const sampling of [undefined, { temperature: 0.9, seed: 4 }]) {
      for (const ending of endings) {
        const plain = { maxTokens: 80, sampling, ...ending };
        const [text, { stop }] = await textOf(plain);
        const speculation = { ...way(), adaptive: false, sameDraws: true };
        const [same, last] = await textOf({ ...plain, speculation });
        expect([same, last.stop]).toEqual([text, stop]);
        expect(last.speculation).toBeDefined();
        if (ending.constraint === undefined || sampling === undefined) continue;
        const [drawn] = await textOf({ ...plain, speculation: { ...way(), adaptive: false } });
        expect(drawn).toMatch(/^( (cat|dog|bird)[a-z]{0,3}[,.])/);
      }
    }
    expect(stories.engine.pool.used + letters.engine.pool.used).toBe(0);
  });

  test("a draft of another vocabulary is read by the target's tokenizer", async () => {
    const [, { speculation }] = await textOf({ maxTokens: 60, speculation: { draft: stories, adaptive: false } });
    const { vocabSize } = stories.config;
    const choice = new DraftChoice(
      { vocabSize, endIds: [], bannedIds: [] },
      { options: {}, seed: 0, sameDraws: false },
    );
    const draft = new DraftProposer(stories.engine, await stories.engine.sequence(), choice);
    const proposer = new RetokenisedDraft(stories.tokenizer, draft, stories.tokenizer);
    const [, last] = await textOf({ maxTokens: 60, speculation: { proposer, adaptive: false } });
    expect(speculation!.accepted).toBe(speculation!.proposed);
    expect(last.speculation!.accepted / last.speculation!.proposed).toBeGreaterThan(0.8);
    expect(stories.engine.pool.used).toBe(0);
  });

  test("goes with an encoder and a decoder", async () => {
    await using t5 = await encoderDecoderModel();
    const translate = async (speculation?: SpeculationOptions) => {
      const tokens: number[] = [];
      const prompt = { source: [5, 6, 7, 8, 9] };
      for await (const step of t5.generate(prompt, { maxTokens: 20, speculation })) tokens.push(step.token);
      return tokens;
    };
    const expected = await translate();
    for (const speculation of [{ draft: t5 }, { lookup: true }, { earlyExit: 1 }, { lookahead: true }]) {
      expect(await translate({ ...speculation, adaptive: false })).toEqual(expected);
    }
    expect(t5.engine.pool.used).toBe(0);
  });
});

describe("a session that looks ahead", () => {
  test("is as it would be without, whatever it does next", async () => {
    using plain = await model.session(prompt);
    const tokens = await plain.take(12);
    using session = await model.session(prompt);
    await session.lookAhead({ tokens: [...tokens.slice(0, 4), (tokens[4]! + 1) % 500, 9] });
    expect(session.stepsAhead).toBe(7);
    await session.step();
    using fork = session.fork();
    expect(await fork.take(11)).toEqual(tokens.slice(1));
    expect(session.stepsAhead).toBe(6);
    session.rewind(1);
    expect(session.stepsAhead).toBe(0);
    expect(await session.take(3)).toEqual(tokens.slice(0, 3));
    await session.lookAhead({ tokens: tokens.slice(3, 6) });
    await session.append([11, 12]);
    using fresh = await model.session([...prompt, ...tokens.slice(0, 3), 11, 12]);
    expect(await session.take(8)).toEqual(await fresh.take(8));
    await session.lookAhead({ tokens: [1, 2], others: [[3], [4]] });
    session.dispose();
    fresh.dispose();
    fork.dispose();
    plain.dispose();
    expect(model.engine.pool.used).toBe(0);
  });
});
