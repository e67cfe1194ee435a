import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { parityFixtures, temporaryFolder, tinyModel, tinyVocabulary } from "../../test/support/tiny-checkpoint.js";

const folder = tinyModel({ begins: true });
const ids = (text: string) => [...text].map((character) => tinyVocabulary.indexOf(character));

describe("hitherto tokenize", () => {
  test("--json prints the ids", async () => {
    const result = await runCommand(["tokenize", "--model", folder, "Hi!", "--json"]);
    expect(result).toEqual({ code: 0, stdout: `[1,${ids("Hi!")}]\n`, stderr: "" });
  });

  test("--no-special-tokens leaves out what is added around the text", async () => {
    const result = await runCommand(["tokenize", "--model", folder, "Hi!", "--json", "--no-special-tokens"]);
    expect(JSON.parse(result.stdout)).toEqual(ids("Hi!"));
  });

  test("standard input is taken as it is", async () => {
    const result = await runCommand(["tokenize", "--model", folder, "--json"], { input: "Hi\n" });
    expect(JSON.parse(result.stdout)).toEqual([1, ...ids("HiĊ")]);
  });

  test("a tokenizer file is enough", async () => {
    const result = await runCommand(["tokenize", "--model", join(folder, "tokenizer.json"), "Hi", "--json"]);
    expect(JSON.parse(result.stdout)).toEqual([1, ...ids("Hi")]);
  });

  test("a GGUF file's vocabulary", async () => {
    const file = join(temporaryFolder(), "model.gguf");
    await runCommand(["convert", folder, file]);
    const result = await runCommand(["tokenize", "--model", file, "Hi", "--json", "--no-special-tokens"]);
    expect(JSON.parse(result.stdout)).toEqual(ids("Hi"));
  });

  test("without --json, a table", async () => {
    const { stdout } = await runCommand(["tokenize", "--model", folder, "a b"]);
    expect(stdout.split("\n")).toEqual([
      '0   1  <s>  "<s>"',
      '1  10  a    "a"',
      '2   3  Ġ    " "',
      '3  11  b    "b"',
      "",
    ]);
  });
});

describe("--tokenizer", () => {
  test("stands in for the checkpoint's own, in every command that takes it", async () => {
    const other = join(folder, "tokenizer.json");
    const bare = `${parityFixtures}/llama-mha-tied`;
    const words = ["--tokenizer", other, "--model", bare];
    expect(JSON.parse((await runCommand(["tokenize", "Hi", ...words, "--json"])).stdout)).toEqual([1, ...ids("Hi")]);
    const flags = ["--backend", "reference", "--max-tokens", "8"];
    const text = await runCommand(["generate", "Hi", ...words, ...flags]);
    expect(text).toEqual(await runCommand(["generate", "Hi", "--model", folder, ...flags]));
    const described = JSON.parse((await runCommand(["inspect", bare, "--tokenizer", other, "--json"])).stdout);
    expect(described.tokenizer.vocabSize).toBe(67);
  });

  test("a file of an unknown kind is refused", async () => {
    const result = await runCommand(["tokenize", "Hi", "--model", folder, "--tokenizer", "tokens.dat"]);
    expect(result.stderr).toMatch(/^hitherto: tokenizer file "tokens.dat" is not supported; supported: \.json/);
  });
});
