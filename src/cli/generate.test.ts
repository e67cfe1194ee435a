import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { parityFixtures, temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";
import { loadModel } from "../load-model.node.js";
import { InterruptedError, type Terminal } from "./terminal.js";

const folder = tinyModel();
const model = ["--model", folder, "--backend", "reference"];

async function completion(prompt: string, options: object): Promise<string> {
  await using loaded = await loadModel(folder, { backend: "reference" });
  let text = "";
  for await (const step of loaded.generate(prompt, options)) text += step.text;
  return text;
}

describe("hitherto generate", () => {
  test("standard output has the completion and nothing else", async () => {
    const result = await runCommand(["generate", "Hello", ...model, "--max-tokens", "12"]);
    expect(result).toEqual({ code: 0, stdout: await completion("Hello", { maxTokens: 12 }), stderr: "" });
    expect(result.stdout.length).toBeGreaterThan(5);
  });

  test("--verbose says on standard error what computes", async () => {
    const result = await runCommand(["generate", "Hello", ...model, "--max-tokens", "1", "--verbose"]);
    expect(result).toMatchObject({ code: 0, stderr: "backend: reference, float64, 1 threads\n" });
  });

  test("--context-shift goes on when the context is full, --token-healing takes the last token back", async () => {
    const short = [...model, "--context-length", "24", "--max-tokens", "40"];
    const ended = await runCommand(["generate", "Hello", ...short, "--json"]);
    expect(JSON.parse(ended.stdout).stop).toEqual({ kind: "contextLength" });
    const shift = ["--context-shift", "recompute", "--keep", "2", "--discard", "10", "--token-healing"];
    const endless = await runCommand(["generate", "Hello", ...short, ...shift]);
    await using loaded = await loadModel(folder, { backend: "reference", contextLength: 24 });
    const contextShift = { method: "recompute", keep: 2, discard: 10 } as const;
    let text = "";
    for await (const step of loaded.generate("Hello", { maxTokens: 40, contextShift, tokenHealing: true }))
      text += step.text;
    expect(endless).toEqual({ code: 0, stdout: text, stderr: "" });
    expect(text.length).toBeGreaterThan(24);
  });

  test("sampling flags are those of the library", async () => {
    const flags = ["--temperature", "1.5", "--top-k", "40", "--top-p", ".95", "--min-p", "1e-3", "--seed", "7"];
    const sampling = { temperature: 1.5, topK: 40, topP: 0.95, minP: 0.001, seed: 7 };
    const result = await runCommand(["generate", "Hello", ...model, "--max-tokens", "20", ...flags]);
    expect(result.stdout).toBe(await completion("Hello", { maxTokens: 20, sampling }));
    const more = ["--typical-p", "0.9", "--order", "llama.cpp", "--repetition-penalty", "1.3", "--seed", "3"];
    const most = [...more, "--frequency-penalty", "0.2", "--presence-penalty", "-.1", "--distinct-ngrams", "2"];
    const penalties = { repetitionPenalty: 1.3, frequencyPenalty: 0.2, presencePenalty: -0.1, noRepeatNgramSize: 2 };
    const typical = { typicalP: 0.9, order: "llama.cpp", seed: 3 } as const;
    const other = await runCommand(["generate", "Hello", ...model, "--max-tokens", "20", ...most]);
    expect(other.stdout).toBe(await completion("Hello", { maxTokens: 20, sampling: typical, penalties }));
    const greedy = await runCommand(["generate", "Hello", ...model, "--max-tokens", "20", "--distinct-ngrams", "1"]);
    expect(new Set(greedy.stdout).size).toBe(greedy.stdout.length);
  });

  test("speculation leaves the completion as it is, and says what it gained", async () => {
    const expected = await runCommand(["generate", "Hello", ...model, "--max-tokens", "30"]);
    for (const flags of [["--draft", folder, "--draft-tokens", "3"], ["--lookup"]]) {
      const result = await runCommand(["generate", "Hello", ...model, "--max-tokens", "30", ...flags, "--verbose"]);
      expect(result.stdout).toBe(expected.stdout);
      expect(result.stderr).toMatch(/speculation by (draft|lookup): \d+ of \d+ proposals accepted in \d+ passes/);
    }
  });

  test("the prompt comes from standard input, less one line break", async () => {
    const expected = await runCommand(["generate", "To be", ...model, "--max-tokens", "5", "--echo"]);
    expect(expected.stdout).toMatch(/^To be./);
    for (const words of [["generate"], ["generate", "-"]]) {
      const options = { input: "To be\n" };
      expect(await runCommand([...words, ...model, "--max-tokens", "5", "--echo"], options)).toEqual(expected);
    }
  });

  test("a terminal without a prompt gets a beginning of the model's own", async () => {
    const result = await runCommand(["generate", ...model, "--max-tokens", "3"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test("a stop text ends the completion and is not part of it", async () => {
    const whole = await completion("Hello", { maxTokens: 30 });
    const stops = ["--stop", "never there", "--stop", whole.slice(6, 8)];
    const result = await runCommand(["generate", "Hello", ...model, "--max-tokens", "30", ...stops]);
    expect(result.stdout).toBe(whole.slice(0, whole.indexOf(whole.slice(6, 8))));
  });

  test("the completion is what a constraint asks for, and ends there", async () => {
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    const path = join(temporaryFolder(), "schema.json");
    writeFileSync(path, JSON.stringify(schema));
    const grammar = join(temporaryFolder(), "list.gbnf");
    writeFileSync(grammar, 'root ::= "- " [a-z]{3} "\\n"');
    const words: [string[], RegExp][] = [
      [["--json-schema", JSON.stringify(schema)], /^\s*\{\s*"ok"\s*:\s*(true|false)\s*\}$/],
      [["--json-schema", path], /^\s*\{\s*"ok"\s*:\s*(true|false)\s*\}$/],
      [["--regex", "[a-z]{5}\\d"], /^[a-z]{5}\d$/],
      [["--choice", "yes", "--choice", "no"], /^(yes|no)$/],
      [["--grammar", grammar], /^- [a-z]{3}\n$/],
    ];
    for (const [flags, expected] of words) {
      const { stdout, code } = await runCommand(["generate", "Hello", "--model", "stories", ...flags]);
      expect(stdout).toMatch(expected);
      expect(code).toBe(0);
    }
    const both = await runCommand(["generate", "Hello", ...model, "--regex", "a", "--choice", "b"]);
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("--choice must be without --regex") });
    const none = await runCommand(["generate", "Hello", ...model, "--json-schema", "missing.json"]);
    expect(none.stderr).toContain("missing.json: not found; expected a JSON Schema");
  });

  test("--json prints one object: tokens, text, stop, prompt length, seed", async () => {
    const words = ["generate", "Hello", ...model, "--max-tokens", "6", "--temperature", "1", "--json"];
    const result = JSON.parse((await runCommand(words)).stdout);
    expect(result).toMatchObject({ promptTokens: 5, seed: expect.any(Number) });
    // A draw may be the end of the text.
    expect(result.stop.kind).toMatch(result.tokens.length < 6 ? /^end$/ : /^(end|maxTokens)$/);
    expect(result.tokens.map((token: { text: string }) => token.text).join("")).toBe(result.text);
    expect(result.tokens[0]).toEqual({ id: expect.any(Number), text: expect.any(String), logprob: expect.any(Number) });
    const again = await runCommand([...words, "--seed", String(result.seed)]);
    expect(JSON.parse(again.stdout)).toEqual(result);
  });

  test("a greedy completion has no seed", async () => {
    const result = await runCommand(["generate", "Hello", ...model, "--max-tokens", "1", "--json"]);
    expect(JSON.parse(result.stdout)).not.toHaveProperty("seed");
  });

  test("Ctrl-C keeps the text so far and exits with 130", async () => {
    const onOutput = (terminal: Terminal) => terminal.stop(new InterruptedError());
    const result = await runCommand(["generate", "Hello", ...model], { onOutput });
    expect(result).toMatchObject({ code: 130, stderr: "" });
    expect(await completion("Hello", {})).toMatch(new RegExp(`^${result.stdout}.`));
  });

  test("Ctrl-C under --json prints what there is and says that it was interrupted", async () => {
    const words = ["generate", "Hello", ...model, "--context-length", "20000", "--max-tokens", "19000", "--json"];
    const onStart = (terminal: Terminal) => setTimeout(() => terminal.stop(new InterruptedError()), 500);
    const { code, stdout, stderr } = await runCommand(words, { onStart });
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ stop: { kind: "interrupted" }, promptTokens: 5 });
    expect(JSON.parse(stdout).tokens.length).toBeGreaterThan(0);
    expect(JSON.parse(stderr).error.code).toBe("INTERRUPTED");
  });

  test("an output that closes ends the command quietly", async () => {
    const closed = Object.assign(new Error("write EPIPE"), { code: "EPIPE" });
    const result = await runCommand(["generate", "Hello", ...model], {
      onOutput: ({ output }) => (output as NodeJS.WritableStream & { destroy(error: Error): void }).destroy(closed),
    });
    expect(result).toMatchObject({ code: 0, stderr: "" });
  });

  test("on a terminal the completion ends its line", async () => {
    const words = ["generate", "Hello", ...model, "--max-tokens", "2"];
    const { stdout } = await runCommand(words);
    expect((await runCommand(words, { isTTY: true })).stdout).toBe(`${stdout}\n`);
  });

  test("an encoder-decoder model answers the prompt", async () => {
    const path = tinyModel({ fixture: "t5-relu-tied" });
    const words = ["generate", "Hello", "--model", path, "--backend", "reference", "--max-tokens", "4", "--json"];
    expect(JSON.parse((await runCommand(words)).stdout)).toMatchObject({ promptTokens: 5 });
  });

  test.each([
    ["<!DOCTYPE html><html>", "this is a web page"],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "this is a Git LFS pointer"],
    ["", "this is an empty file"],
  ])("a model.gguf that begins %j is told for what it is", async (text, found) => {
    const path = join(temporaryFolder(), "model.gguf");
    writeFileSync(path, text);
    const { code, stderr } = await runCommand(["generate", "Hello", "--model", path]);
    expect(code).toBe(1);
    expect(stderr).toContain(`hitherto: ${path}: expected a model, but ${found}`);
  });

  test("a prompt beyond the context is refused whole, by its length", async () => {
    const result = await runCommand(["generate", "a".repeat(1000), ...model]);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(
      /^hitherto: the sequence needs 1000 positions, but the context length is 96; [^\n]*\n$/,
    );
  });

  test("--adapter runs a LoRA adapter beside the weights", async () => {
    const [path, adapter] = [tinyModel({ fixture: "gpt2" }), join(parityFixtures, "../../training/adapters/gpt2")];
    const words = ["generate", "Hello", "--model", path, "--backend", "reference", "--max-tokens", "12", "--json"];
    const idsOf = async (more: string[]) => {
      const { stdout, stderr } = await runCommand([...words, ...more]);
      expect(stderr).toBe("");
      return JSON.parse(stdout).tokens.map(({ id }: { id: number }) => id) as number[];
    };
    await using merged = await loadModel(path, { backend: "reference", adapter });
    using session = await merged.session("Hello");
    const adapted = await idsOf(["--adapter", adapter]);
    expect(adapted).toEqual(await session.take(adapted.length));
    expect(await idsOf([])).not.toEqual(adapted);
    const { code, stderr } = await runCommand([...words, "--adapter", path]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/adapter_config.json/)]);
  });

  test("a checkpoint without a tokenizer is refused with advice", async () => {
    const path = `${parityFixtures}/llama-mha-tied`;
    const result = await runCommand(["generate", "Hello", "--model", path, "--backend", "reference"]);
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toBe(
      `hitherto: ${path}: the checkpoint has no tokenizer; name one with --tokenizer FILE, or use token ids from TypeScript\n`,
    );
  });
});
