/** `eval` and `bench`: the shape of what they print; what evaluation computes is tested beside it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { availableBackends } from "../../test/support/backends.js";
import { temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";
import { evaluate } from "../generation/evaluate.js";
import { loadModel } from "../load-model.node.js";
import { median } from "./measure.js";
import { profileModel } from "./profile.js";
import { profileTable } from "./profile-table.js";
import { InterruptedError, type Terminal } from "./terminal.js";

const folder = tinyModel({ begins: true });
const model = ["--model", folder, "--backend", "reference"];
const text = "It was the best of times, it was the worst of times. ".repeat(4);
const file = join(temporaryFolder(), "text.txt");
writeFileSync(file, text);

describe("hitherto eval", () => {
  test("--json prints tokens, nll, perplexity and bits per byte", async () => {
    const result = await runCommand(["eval", file, ...model, "--stride", "20", "--json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    await using loaded = await loadModel(folder, { backend: "reference" });
    const { tokens, nll, perplexity, bitsPerByte } = await evaluate(loaded, text, { stride: 20 });
    expect(JSON.parse(result.stdout)).toEqual({ tokens, nll, perplexity, bitsPerByte });
  });

  test("reads standard input, and prints a summary without --json", async () => {
    const result = await runCommand(["eval", "-", ...model], { input: text });
    expect(result.stdout).toMatch(
      /^tokens +212\nnll +\d\.\d{4} nats per token\nperplexity +[\d.]+\nbits per byte +[\d.]+\n$/,
    );
  });

  test("--against sets it beside another model", async () => {
    const words = ["eval", file, ...model, "--against", folder];
    const { perplexity, other, klDivergence, topAgreement } = JSON.parse(
      (await runCommand([...words, "--json"])).stdout,
    );
    expect(other.perplexity).toBe(perplexity);
    expect([klDivergence.mean, topAgreement]).toEqual([0, 1]);
    expect((await runCommand(words)).stdout).toMatch(
      /\nperplexity +[\d.]+ +[\d.]+ {2}\+0\.00 %\n(.*\n)+same likeliest 100\.00 %\n$/,
    );
  });

  test("a file that is not there is a failure", async () => {
    const result = await runCommand(["eval", "no-such.txt", ...model]);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^hitherto: no-such.txt: not found/) });
    const folder = await runCommand(["eval", ".", ...model]);
    expect(folder).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^hitherto: \.: cannot be opened \(EISDIR\); expected a readable text file/),
    });
  });
});

describe("hitherto bench", () => {
  test("--json prints the medians", async () => {
    const words = ["bench", ...model, "--prefill", "16", "--decode", "4", "--repeat", "2", "--json"];
    const result = JSON.parse((await runCommand(words)).stdout);
    expect(Object.keys(result).sort()).toEqual(
      "backend decodeTokensPerSecond instructionSet loadMs peakMemoryBytes prefillTokensPerSecond threads timeToFirstTokenMs".split(
        " ",
      ),
    );
    expect(result).toMatchObject({ backend: "reference", instructionSet: "float64", threads: 1 });
    for (const value of Object.values(result)) if (typeof value === "number") expect(value).toBeGreaterThan(0);
  });

  test("its context may be longer than the model was made for", async () => {
    const words = ["bench", ...model, "--prefill", "100", "--decode", "4", "--repeat", "1"];
    expect(await runCommand(words)).toMatchObject({ code: 0, stdout: expect.stringContaining("tokens/s over 100") });
  });

  test.each(availableBackends.filter((name) => name !== "reference"))(
    "--profile tells where the time goes, beside what the machine can do: %s",
    async (backend) => {
      await using loaded = await loadModel(folder, { backend, threads: 2 });
      const sizes = { prefill: 24, decode: 4, repeat: 2 };
      const profile = await profileModel(loaded, { ...sizes, memoryBytes: 2 ** 24 });
      for (const { milliseconds, outsideMilliseconds, kinds } of [profile.prefill, profile.decode]) {
        expect(milliseconds).toBeGreaterThan(outsideMilliseconds);
        expect(outsideMilliseconds).toBeGreaterThan(0);
        expect(kinds.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
        expect(kinds.reduce((sum, each) => sum + each.milliseconds, 0)).toBeCloseTo(
          milliseconds - outsideMilliseconds,
          6,
        );
        for (const { operation } of kinds.filter(({ nearest }) => nearest !== undefined)) {
          expect(operation).toMatch(/^(linear|attention)/);
        }
      }
      const linear = profile.decode.kinds.filter(({ operation }) => operation.startsWith("linear"));
      expect(linear.length).toBeGreaterThan(0);
      // A step reads every weight but the table of embeddings' other rows: this model's head is tied.
      expect(profile.decode.bound.bytesPerToken).toBeGreaterThan(0.9 * loaded.engine.network.weightBytes);

      const text = profileTable(profile, { ...sizes, threads: 2, decodeTokensPerSecond: 100 });
      expect(text).toMatch(/read memory +[\d.]+ +[\d.]+ {2}GB\/s\n/);
      expect(text).toMatch(/\nprefill of 24 +[\d.]+ ms, [\d.]+ % of it outside instructions\n/);
      expect(text).toMatch(/\n {2}linear_f32 +\d+ +[\d.]+ +[\d.]+ % +[\d.]+ +[\d.]+ +[\d.]+ % (read|float)\n/);
      expect(text).toMatch(
        /\ndecode bound +[\d.]+ MB a token at [\d.]+ GB\/s: [\d.]+ tokens\/s, [\d.]+ % of it reached\n$/,
      );
      expect(text).not.toMatch(/ \n/);
    },
  );

  test("--profile needs a backend with instructions", async () => {
    const words = ["bench", ...model, "--prefill", "4", "--decode", "2", "--repeat", "1", "--profile"];
    const message = 'a profile on the backend "reference" is not supported; supported: native, wasm';
    expect(await runCommand(words)).toMatchObject({ code: 1, stderr: `hitherto: ${message}\n` });
  });

  test("Ctrl-C ends it with 130", async () => {
    const words = ["bench", ...model, "--prefill", "8", "--decode", "8", "--repeat", "100000"];
    const onStart = (terminal: Terminal) => setTimeout(() => terminal.stop(new InterruptedError()), 300);
    expect(await runCommand(words, { onStart })).toEqual({ code: 130, stdout: "", stderr: "" });
  });
});

describe("median", () => {
  test("is the middle, or the mean of the two middles", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
