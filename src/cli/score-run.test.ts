/** A tiny translator is trained on two words of a kind, and scored on what it never saw. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder } from "../../test/support/tiny-checkpoint.js";

const folder = temporaryFolder();
const run = join(folder, "run");
const file = (name: string, lines: readonly string[]) => {
  writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(""));
  return join(folder, name);
};
const words = ["a", "b", "a b", "b a", "a a", "b b", "a b a", "b a b"];
const config = {
  model: {
    kind: "new",
    config: {
      model_type: "marian",
      d_model: 16,
      encoder_layers: 1,
      decoder_layers: 1,
      encoder_attention_heads: 2,
      decoder_attention_heads: 2,
      encoder_ffn_dim: 16,
      decoder_ffn_dim: 16,
    },
  },
  tokenizer: { kind: "words", pattern: "\\S+" },
  data: {
    kind: "parallel",
    source: file("train.src", words),
    target: file("train.tgt", words),
    normalize: { source: { lowercase: true } },
    heldOut: {
      files: { source: file("held.src", ["A B", "b b", "b b"]), target: file("held.tgt", ["a b", "b b", "b a"]) },
    },
  },
  batch: { tokens: 64, contextLength: 16 },
  optimizer: { learningRate: 0.01 },
  schedule: { steps: 2 },
  hardware: { threads: 1 },
  run: { folder: run },
};

beforeAll(async () => {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(config));
  expect(await runCommand(["train", path, "--json"])).toMatchObject({ code: 0 });
});

describe("hitherto score --run", () => {
  const hypotheses = join(folder, "hypotheses.txt");

  test("translates what was held out, made ready as the run's data was", async () => {
    const result = await runCommand(["score", "--run", run, "--tokenized", "--output", hypotheses, "--json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const sources = file("ready.src", ["a b", "b b"]);
    const translated = await runCommand(["translate", "--input", sources, "--model", join(run, "model")]);
    expect(readFileSync(hypotheses, "utf8")).toBe(translated.stdout.replaceAll(/ *\n/g, "\n"));
    const [first, second] = translated.stdout.split("\n");
    const lines = file("lines.txt", [first!, second!, second!]);
    const references = file("references.txt", ["a b", "b b", "b a"]);
    const scored = await runCommand(["score", lines, references, "--tokenized", "--json"]);
    expect(result.stdout).toBe(scored.stdout);
  });

  test("other pairs, and several pronunciations of one source", async () => {
    const [source, target] = [file("a.src", ["B", "b"]), file("a.tgt", ["b", "a"])];
    const result = await runCommand([
      "score",
      "--run",
      run,
      "--source",
      source,
      "--target",
      target,
      "--phonemes",
      "--json",
    ]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const said = (await runCommand(["translate", "b", "--model", join(run, "model")])).stdout;
    const [b, a] = [file("b.txt", ["b"]), file("a.txt", ["a"])];
    const scored = await runCommand(["score", file("said.txt", [said.trim()]), b, a, "--phonemes", "--json"]);
    expect(result.stdout).toBe(scored.stdout);
  });

  test("refuses what contradicts itself", async () => {
    const fails = async (flags: string[], message: RegExp) =>
      expect(await runCommand(["score", ...flags])).toMatchObject({ stderr: expect.stringMatching(message) });
    await fails([], /hypotheses and references, or --run FOLDER/);
    await fails([hypotheses, "--run", run], /--run must be absent where files are scored/);
    await fails([hypotheses, hypotheses, "--source", hypotheses], /--source must be absent without --run/);
    await fails(["--run", run, "--source", hypotheses], /--source and --target must be both given/);
    await fails(["--run", join(folder, "none")], /not found; expected the folder of a run/);
  });
});
