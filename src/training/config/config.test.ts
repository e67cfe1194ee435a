/** What a training configuration may say, and how it is refused. */
import { describe, expect, test } from "vitest";
import { readTrainingConfig, type TrainingConfig } from "./config.js";
import { configMarkdown, describeConfig } from "./describe.js";
import { ConfigError } from "./kinds.js";
import { nearestWord } from "./nearest.js";
import { withOverrides } from "./overrides.js";

const small = {
  model: { kind: "new", config: { model_type: "gpt2", n_layer: 1 } },
  tokenizer: { kind: "characters" },
  data: { kind: "text", files: "names.txt", documents: "line" },
  batch: { contextLength: 16 },
  schedule: { kind: "cosine", steps: 100 },
} satisfies TrainingConfig;

function problemOf(value: unknown): string {
  try {
    readTrainingConfig(value);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  return "none";
}

describe("a training configuration", () => {
  test("has every default filled in, and reading it again changes nothing", () => {
    const read = readTrainingConfig(small);
    expect(read.optimizer).toEqual({
      kind: "adamw",
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.99,
      eps: 1e-8,
      weightDecay: 0.1,
      clipNorm: 1,
    });
    expect(read.schedule).toEqual({ kind: "cosine", steps: 100, warmupSteps: 0, finalFraction: 0.1 });
    expect(read.data).toEqual({ kind: "text", files: ["names.txt"], documents: "line", packing: "documents" });
    expect(readTrainingConfig(JSON.parse(JSON.stringify(read)))).toEqual(read);
  });

  test.each([
    [{ ...small, optimiser: {} }, /^optimiser: unknown key; did you mean "optimizer"\?; known here: run, model,/],
    [
      { ...small, optimizer: { kind: "adamw", learning_rate: 1 } },
      /^optimizer\.learning_rate: unknown key where kind is "adamw"; did you mean "learningRate"\?/,
    ],
    [
      { ...small, optimizer: { kind: "lion", eps: 1 } },
      /^optimizer\.eps: unknown key where kind is "lion"; known here: learningRate, beta1, beta2, weightDecay, clipNorm$/,
    ],
    [
      { ...small, optimizer: { kind: "adamW" } },
      /^optimizer\.kind: must be one of .* got "adamW"; did you mean "adamw"\?$/,
    ],
    [{ ...small, optimizer: { eps: 0 } }, /^optimizer\.eps: must be a number above 0, got 0$/],
    [{ ...small, tokenizer: {} }, /^tokenizer\.kind: is required: one of file, characters, bytes, words, bpe$/],
    [
      { ...small, tokenizer: { kind: "bytes", vocabSize: 3 } },
      /^tokenizer\.vocabSize: unknown key .*no other key is known here$/,
    ],
    [{ ...small, batch: { tokens: 12 } }, /^batch\.contextLength: is required: a whole number from 1 on$/],
    [{ ...small, batch: { contextLength: 1.5 } }, /^batch\.contextLength: must be a whole number from 1 on, got 1\.5$/],
    [
      { ...small, regularisation: { dropout: 1 } },
      /^regularisation\.dropout: must be a number from 0 to below 1, got 1$/,
    ],
    [{ ...small, data: { kind: "text", files: ["a", 3] } }, /^data\.files\[1\]: must be a path, got 3$/],
    [
      { ...small, data: { ...small.data, documents: "lines" } },
      /^data\.documents: must be one of file, line, paragraph, got "lines"; did you mean "line"\?$/,
    ],
    [
      { ...small, data: { ...small.data, documents: { seperator: "x" } } },
      /^data\.documents\.seperator: unknown key; did you mean "separator"/,
    ],
    [
      { ...small, data: { ...small.data, heldOut: { last: 0.1, count: 3 } } },
      /^data\.heldOut: must have exactly one of fraction, count, last, files, got 2 of them$/,
    ],
    [{ ...small, model: [] }, /^model: must be an object, got \[\]$/],
    [{}, /^model: is required/],
    [null, /^must be an object, got null$/],
  ])("%j is refused by the name of the key", (value, message) => {
    expect(problemOf(value)).toMatch(message);
  });

  test("an inherited name is no key", () => {
    expect(problemOf({ ...small, constructor: 1 })).toMatch(/^constructor: unknown key/);
  });
});

describe("overrides", () => {
  test("replace single keys, make groups that are absent, and leave the original alone", () => {
    const before = JSON.stringify(small);
    const assignments = ["schedule.steps=7", "optimizer.kind=lion", "run.name=a=b", "model.config.n_layer=2"];
    const read = readTrainingConfig(withOverrides(small, assignments));
    expect(read).toMatchObject({ schedule: { steps: 7 }, optimizer: { kind: "lion" }, run: { name: "a=b" } });
    expect(read.model).toMatchObject({ config: { model_type: "gpt2", n_layer: 2 } });
    expect(JSON.stringify(small)).toBe(before);
  });

  test("an unknown key is refused as in the file", () => {
    expect(problemOf(withOverrides(small, ["schedule.step=7"]))).toMatch(/schedule\.step: .*did you mean "steps"/);
  });

  test.each([
    ["steps", /"steps" must be KEY=VALUE/],
    ["=3", /"=3" must be KEY=VALUE/],
    ["schedule.steps.more=3", /^schedule\.steps: is 100, and has no key "more"$/],
  ])("%s is refused", (assignment, message) => {
    expect(() => withOverrides(small, [assignment])).toThrow(message);
  });
});

describe("nearestWord", () => {
  test.each([
    ["lerning_rate", "learningRate"],
    ["stpes", "steps"],
    ["STEPS", "steps"],
    ["q", undefined],
    ["", undefined],
  ])("%j: %s", (word, expected) => {
    expect(nearestWord(word, ["steps", "learningRate", "kind"])).toBe(expected);
  });

  test("nothing is near where nothing is known", () => expect(nearestWord("steps", [])).toBeUndefined());
});

describe("the configuration in words", () => {
  test("stays within the width, and names what each key is when absent", () => {
    const text = describeConfig(80);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    const keys = text.split("\n").filter((line) => /^ {2}\S/.test(line)).length;
    const absences = text.replaceAll(/\s+/g, " ").match(/\((default: |required\)|one of these\))/g)!.length;
    expect(absences).toBeGreaterThanOrEqual(keys);
    expect(keys).toBeGreaterThan(60);
  });

  test("groups stay small enough to take in", () => {
    const tables = configMarkdown().split("### ").slice(1);
    const sizes = tables.map((table) => table.split("\n").filter((line) => line.startsWith("| `")).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(8);
  });
});
