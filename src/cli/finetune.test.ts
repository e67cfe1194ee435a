/** What `hitherto finetune` makes of its flags, and of a configuration without a model. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";

const base = tinyModel();
const folder = temporaryFolder();
const file = (name: string, content: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};
const text = file("text.txt", "some text");

async function configOf(words: readonly string[]) {
  const { code, stdout, stderr } = await runCommand(["finetune", base, ...words, "--print-config"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe("hitherto finetune", () => {
  test("from flags: everything learns, at a rate for models that know something", async () => {
    const config = await configOf(["--data", text, "--steps", "40", "--out", join(folder, "run")]);
    expect(config.model).toEqual({ kind: "checkpoint", path: base });
    expect(config.data).toMatchObject({ kind: "text", files: [text], heldOut: { last: 0.05 } });
    expect(config.schedule).toMatchObject({ kind: "cosine", steps: 40, warmupSteps: 2 });
    expect(config.optimizer).toMatchObject({ kind: "adamw", learningRate: 1e-4, weightDecay: 0.1 });
    expect(config.batch.contextLength).toBe(96);
    expect(config.run.folder).toBe(join(folder, "run"));
  });

  test("--lora learns small matrices, and --set has the last word", async () => {
    const lora = await configOf(["--data", text, "--lora", "--set", "model.lora.alpha=32", "--context-length", "64"]);
    expect(lora.model.lora).toMatchObject({ rank: 8, alpha: 32 });
    expect(lora.optimizer).toMatchObject({ learningRate: 1e-3, weightDecay: 0 });
    expect(lora.batch.contextLength).toBe(64);
    expect((await configOf(["--data", text, "--lora", "4", "--learning-rate", "0.5"])).model.lora.rank).toBe(4);
  });

  test.each([
    ["a.jsonl", { kind: "jsonl", field: "text" }],
    ["a.tsv.gz", { kind: "tsv", sourceColumn: 0 }],
    ["a.md", { kind: "text" }],
  ])("%s is read as what it is", async (name, data) => {
    expect((await configOf(["--data", join(folder, name)])).data).toMatchObject(data);
  });

  test("a configuration needs no model: the base is it", async () => {
    const path = file("own.json", {
      model: { kind: "checkpoint", path: "elsewhere", lora: { rank: 2, alpha: 4 } },
      data: { kind: "text", files: "text.txt" },
      batch: { contextLength: 8 },
      schedule: { steps: 3 },
    });
    const config = await configOf([path, "--lora", "6"]);
    expect(config.model).toMatchObject({ path: base, lora: { rank: 6, alpha: 4 } });
    expect(config.run.name).toBe("own");
  });

  test.each([
    [[], "give either CONFIG or --data: one of them says what to learn from"],
    [["c.json", "--data", "a.txt"], "give either CONFIG or --data: one of them says what to learn from"],
    [["--data", "a.txt", "--data", "b.jsonl"], "--data must be files of one kind: text, .jsonl or .tsv"],
    [["--data", "a.txt", "--steps", "0"], '--steps must be a whole number from 1 on, got "0"'],
  ])("%j is wrong usage", async (words, message) => {
    const result = await runCommand(["finetune", base, ...words]);
    expect(result).toEqual({ code: 2, stdout: "", stderr: `hitherto: ${message}\n` });
  });
});
