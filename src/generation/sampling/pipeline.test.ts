import { describe, expect, test } from "vitest";
import { Draws, softmax } from "../../../test/support/distributions.js";
import { tinyModel } from "../../../test/support/tiny-checkpoint.js";
import { InvalidValueError, UnknownOptionError } from "../../core/errors.js";
import { loadModel } from "../../load-model.node.js";
import { NoTokenLeftError, Pipeline, type StageReport } from "./pipeline.js";
import { createSampler } from "./sampler.js";
import { type ChoiceOptions, createStages, MissingStageError, type OwnProcessor, stageOrders } from "./stages.js";

const model = { vocabSize: 6, endIds: [5], bannedIds: [] };
const logits = Float32Array.from([1, 4, 2, 3.5, -1, 0]);
const place = { ids: [1, 2, 3], promptLength: 1, uniform: () => 0 };

function run(
  options: ChoiceOptions,
  about = model,
  scores: Float32Array = logits,
): { ids: number[]; reports: StageReport[] } {
  const reports: StageReport[] = [];
  const pipeline = new Pipeline(createStages(options, about), scores.length);
  const candidates = pipeline.run(scores, place, reports);
  return { ids: Array.from(candidates.ids.subarray(0, candidates.count)), reports };
}

describe("the order of stages", () => {
  test("temperature is the first filter as Hugging Face has it, and the last as llama.cpp has it", () => {
    const draws = new Draws(7);
    for (let i = 0; i < 300; i++) {
      const scores = draws.logits(30);
      const about = { ...model, vocabSize: 30 };
      const sampling = { temperature: 2.5, topP: 0.8, minP: 0.05 };
      // llama.cpp's: what is left does not depend on the temperature.
      const { ids } = run({ sampling: { ...sampling, order: "llama.cpp" } }, about, scores);
      expect(ids).toEqual(run({ sampling: { topP: 0.8, minP: 0.05 } }, about, scores).ids);
      // Hugging Face's: it is what the filters leave of the divided scores.
      const divided = scores.map((z) => z / 2.5);
      expect(run({ sampling }, about, scores).ids).toEqual(
        run({ sampling: { topP: 0.8, minP: 0.05 } }, about, divided).ids,
      );
    }
  });

  test("is a program's, or one's own", () => {
    const names = (options: ChoiceOptions) => createStages(options, model).map(({ name }) => name);
    const sampling = { temperature: 2, topK: 3, typicalP: 0.9, topP: 0.9, minP: 0.1, topNSigma: 1 };
    const penalties = { repetitionPenalty: 1.1, presencePenalty: 1, dry: { multiplier: 1 } };
    const all = { sampling, penalties, tokens: { logitBias: { 3: 1 } } };
    expect(names(all).join()).toBe(
      "logitBias,repetitionPenalty,frequencyPenalty,dry,temperature,topK,topP,minP,typicalP,topNSigma",
    );
    expect(names({ ...all, sampling: { ...sampling, order: "llama.cpp" } }).join()).toBe(
      "logitBias,repetitionPenalty,frequencyPenalty,dry,topNSigma,topK,typicalP,topP,minP,temperature",
    );
    const order = ["topP", "temperature", "repetitionPenalty"] as const;
    const few = { sampling: { temperature: 2, topP: 0.9, order }, penalties: { repetitionPenalty: 1.1 } };
    expect(names(few)).toEqual([...order]);
    expect([...stageOrders.huggingface].sort()).toEqual([...stageOrders["llama.cpp"]].sort());
  });

  test("must name every stage that is asked for, each once, and none that does not exist", () => {
    const order = ["topP"] as const;
    expect(() => createStages({ sampling: { topK: 2, order } }, model)).toThrow(MissingStageError);
    for (const bad of ["hf", ["topP", "topP"], ["nucleus"]]) {
      expect(() => createStages({ sampling: { order: bad as "huggingface" } }, model)).toThrow(InvalidValueError);
    }
    for (const [options, others] of [
      [{ topA: 1 }, {}],
      [{ xtc: { probability: 1, threshold: 0, p: 1 } }, {}],
      [{ mirostat: { mu: 1 } }, {}],
      [{}, { penalties: { repeat: 1 } }],
      [{}, { tokens: { banned: [] } }],
      [{}, { processors: [{ name: "x", process: () => undefined, at: 3 }] }],
    ] as const) {
      expect(() => createSampler(options as object, model, 1, others as object)).toThrow(UnknownOptionError);
    }
  });
});

describe("a report", () => {
  test("tells what every stage removed: how many, and with what probability", () => {
    const { reports } = run({ sampling: { topK: 3, minP: 0.5 }, tokens: { suppressTokens: [1] } });
    const p = softmax(logits);
    expect(reports.map(({ stage, removed, left }) => [stage, removed, left])).toEqual([
      ["suppressTokens", 1, 5],
      ["topK", 2, 3],
      ["minP", 2, 1],
    ]);
    expect(reports[0]!.mass).toBeCloseTo(p[1]!, 9);
    const rest = 1 - p[1]!;
    expect(reports[1]!.mass).toBeCloseTo((p[4]! + p[5]!) / rest, 9);
    expect(reports[2]!.mass).toBeCloseTo((p[0]! + p[2]!) / (p[0]! + p[2]! + p[3]!), 9);
  });

  test("comes with each step, where it is asked for", async () => {
    await using loaded = await loadModel(tinyModel(), { backend: "reference" });
    const options = { maxTokens: 3, sampling: { topK: 5, seed: 1 }, report: true };
    let steps = 0;
    for await (const { report } of loaded.generate("ab", options)) {
      expect(report).toEqual([{ stage: "topK", removed: 62, mass: expect.any(Number), left: 5 }]);
      steps++;
    }
    expect(steps).toBeGreaterThan(0);
    for await (const step of loaded.generate("ab", { maxTokens: 1 })) expect(step).not.toHaveProperty("report");
  });
});

describe("processors of one's own", () => {
  const only =
    (id: number): OwnProcessor["process"] =>
    (scores) =>
      scores.map((z, each) => (each === id ? z : Number.NEGATIVE_INFINITY));

  test("take logits and give logits, at once or later, in place or as others", async () => {
    await using loaded = await loadModel(tinyModel(), { backend: "reference" });
    const inPlace: OwnProcessor = {
      name: "in place",
      process: (scores, { ids }) => {
        scores.fill(Number.NEGATIVE_INFINITY);
        scores[ids.length] = 1;
        return undefined;
      },
    };
    using session = await loaded.session([3, 4, 5], { processors: [inPlace] });
    expect(await session.take(4)).toEqual([3, 4, 5, 6]);
    const later: OwnProcessor = { name: "later", process: async (scores, where) => only(9)(scores, where) };
    const tokens: number[] = [];
    for await (const step of loaded.generate([3], { maxTokens: 3, processors: [later] })) tokens.push(step.token);
    expect(tokens).toEqual([9, 9, 9]);
  });

  test("stand where they are placed, in the order in which they are given", async () => {
    const seen: string[] = [];
    const own = (name: string, where: Partial<OwnProcessor>): OwnProcessor => ({
      name,
      ...where,
      process: (scores) => {
        seen.push(`${name}:${scores.filter((z) => z > Number.NEGATIVE_INFINITY).length}`);
        return undefined;
      },
    });
    const processors = [
      own("last", { after: "topK" }),
      own("first", { before: "logitBias" }),
      own("plain", {}),
      own("second", { before: "topK" }),
    ];
    const sampling = { topK: 2, seed: 1 };
    const sampler = createSampler(sampling, model, 1, { processors, tokens: { suppressTokens: [0] } });
    await sampler.chooseWaiting(logits, 3, place);
    expect(seen).toEqual(["first:6", "plain:5", "second:5", "last:2"]);
    expect(() => createSampler({}, model, 1, { processors: [own("x", { before: "topK", after: "topP" })] })).toThrow(
      InvalidValueError,
    );
    expect(() => createSampler({}, model, 1, { processors: [own("x", { before: "top" as "topK" })] })).toThrow(
      MissingStageError,
    );
  });

  test("that leave nothing end the step with an error that names them", async () => {
    await using loaded = await loadModel(tinyModel(), { backend: "reference" });
    const nothing: OwnProcessor = { name: "nothing", process: (scores) => scores.fill(Number.NEGATIVE_INFINITY) };
    using session = await loaded.session([3, 4], { processors: [nothing] });
    await expect(session.step()).rejects.toThrow(/at position 2: nothing removed the last one/);
    expect(session.length).toBe(2);
    expect(() => run({ tokens: { allowedTokens: [1], suppressTokens: [1] } })).toThrow(NoTokenLeftError);
  });
});

describe("a session with processors", () => {
  const everything: ChoiceOptions = {
    sampling: {
      temperature: 0.9,
      topK: 40,
      topP: 0.98,
      minP: 0.001,
      typicalP: 0.98,
      epsilonCutoff: 0.0001,
      etaCutoff: 0.0001,
      topNSigma: 6,
      xtc: { probability: 0.3, threshold: 0.1 },
      mirostat: { tau: 3 },
      seed: 5,
    },
    penalties: {
      repetitionPenalty: 1.1,
      frequencyPenalty: 0.1,
      presencePenalty: 0.1,
      noRepeatNgramSize: 4,
      dry: { multiplier: 0.5 },
    },
    tokens: {
      logitBias: { 7: 1 },
      sequenceBias: [{ ids: [8, 9], bias: 2 }],
      badWords: [[10], [11, 12]],
      suppressTokens: [13],
      beginSuppressTokens: [14],
      forcedTokens: { 2: 15 },
      minNewTokens: 5,
      lengthDecay: { start: 4, factor: 1.05 },
    },
  };

  test("rewound, forked and given its tokens, continues as a fresh one, with everything switched on", async () => {
    await using loaded = await loadModel(tinyModel(), { backend: "reference" });
    using fresh = await loaded.session([3, 4, 5], everything);
    const tokens = await fresh.take(14);
    expect(tokens[2]).toBe(15);
    expect(new Set(tokens).size).toBeGreaterThan(5);
    using rewound = await loaded.session([3, 4, 5], everything);
    await rewound.take(9);
    rewound.rewind(4);
    using fork = rewound.fork();
    expect(await rewound.take(9)).toEqual(tokens.slice(5));
    expect(await fork.take(9)).toEqual(tokens.slice(5));
  });

  test("greedy takes the likeliest of what they leave", async () => {
    await using loaded = await loadModel(tinyModel(), { backend: "reference" });
    using plain = await loaded.session([3, 4]);
    const { token: likeliest } = await plain.step();
    using other = await loaded.session([3, 4], { tokens: { suppressTokens: [likeliest] } });
    const { token, logits: scores } = await other.step();
    const order = Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
    expect([likeliest, token]).toEqual(order.slice(0, 2));
    expect(() => createSampler({ temperature: 0, xtc: { probability: 1, threshold: 0.1 } }, 6)).toThrow(
      InvalidValueError,
    );
  });
});
