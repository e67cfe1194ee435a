/** `translate`, `score` and `eval` of pairs: what they read and print; what they compute is tested beside it. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";
import { defaultTranslator, embeddedModels } from "../embedded-models.node.js";
import { evaluatePairs } from "../generation/evaluate-pairs.js";
import { loadModel } from "../load-model.node.js";

const folder = tinyModel({ fixture: "t5-relu-tied" });
const model = ["--model", folder, "--backend", "reference"];
const flags = [...model, "--beams", "3", "--max-tokens", "6"];
const files = temporaryFolder();
const file = (name: string, text: string) => {
  writeFileSync(join(files, name), text);
  return join(files, name);
};
const lines = ["hello there", "", "one two", "a", "xyz"];

async function expected(): Promise<string[]> {
  await using loaded = await loadModel(folder, { backend: "reference" });
  const filled = lines.filter((line) => line !== "");
  const found = await loaded.beamSearchAll(filled, { beams: 3, maxTokens: 6 });
  const texts = found.map(([best]) => best!.text.replaceAll(/\s*[\r\n]+\s*/g, " "));
  return lines.map((line) => (line === "" ? "" : texts.shift()!));
}

describe("hitherto translate", () => {
  test("a text, lines of standard input, lines of a file to a file, in batches: the same translations", async () => {
    const translations = await expected();
    const one = await runCommand(["translate", "one two", ...flags]);
    expect(one).toEqual({ code: 0, stdout: `${translations[2]}\n`, stderr: "" });
    const input = `${lines.join("\r\n")}\n`;
    const all = `${translations.join("\n")}\n`;
    expect((await runCommand(["translate", ...flags], { input })).stdout).toBe(all);
    const output = join(files, "out.txt");
    const words = ["translate", "--input", file("in.txt", input), "--output", output, "--batch", "2", ...flags];
    expect(await runCommand(words)).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(output, "utf8")).toBe(all);
  });

  test("n best, and JSON", async () => {
    const best = await runCommand(["translate", "-", ...flags, "--n-best", "2"], { input: "one two\na\n" });
    const rows = best.stdout.trimEnd().split("\n");
    expect(rows.map((row) => row.split("\t")[0])).toEqual(["1", "1", "2", "2"]);
    const json = await runCommand(["translate", "one two", ...flags, "--n-best", "2", "--json"]);
    const { source, hypotheses } = JSON.parse(json.stdout);
    expect(source).toBe("one two");
    expect(rows.slice(0, 2)).toEqual(
      hypotheses.map(({ text, score }: { text: string; score: number }) => `1\t${score.toFixed(4)}\t${text}`),
    );
    expect(hypotheses[0].score).toBeGreaterThan(hypotheses[1].score);
    expect(hypotheses[0].stop.kind).toMatch(/end|maxTokens/);
  });

  test("refuses other kinds of models, contradictory flags, lines that are too long and outputs that cannot be", async () => {
    const fails = async (words: string[], message: string | RegExp, code = 1) =>
      expect(await runCommand(["translate", "x", ...words])).toMatchObject({
        code,
        stderr: expect.stringMatching(message),
      });
    await fails(["--model", "stories"], /decoder-only/);
    await fails([...flags, "--n-best", "4"], /--n-best must be at most --beams 3/, 2);
    await fails([...flags, "--min-tokens", "7"], /--min-tokens must be at most/, 2);
    await fails([...flags, "--input", "y"], /--input must be absent where a text is given/, 2);
    await fails([...flags, "--early-stopping", "always"], /--early-stopping must be one of true, false, never/, 2);
    await fails([...flags, "--output", join(files, "no", "such")], /not found; expected a file that can be written/);
    const long = await runCommand(["translate", ...flags, "--context-length", "8"], {
      input: `a\n${"b".repeat(40)}\n`,
    });
    expect(long.stderr).toMatch(/line 2 must be at most 8 tokens long/);
  });

  test("without a model, the embedded translator, or an error that says where it should be", async () => {
    const { code, stderr } = await runCommand(["translate", "Hello."]);
    if (embeddedModels().includes(defaultTranslator)) expect(code).toBe(0);
    else expect(stderr).toMatch(/no model was named, and the package comes without its own .*translate-en-fr/);
    expect(existsSync(files)).toBe(true);
  });
});

describe("hitherto eval with an encoder-decoder model", () => {
  test("reads pairs", async () => {
    const pairs = [
      { source: "hello", target: "there" },
      { source: "a b", target: "c" },
    ];
    const path = file("pairs.tsv", `${pairs.map(({ source, target }) => `${source}\t${target}\n`).join("\n")}`);
    const result = await runCommand(["eval", path, ...model, "--json"]);
    await using loaded = await loadModel(folder, { backend: "reference" });
    expect(JSON.parse(result.stdout)).toEqual(await evaluatePairs(loaded, pairs));
    expect((await runCommand(["eval", path, ...model])).stdout).toMatch(/^pairs +2\ntokens +8\nnll +[\d.]+ nats/);
    const bad = await runCommand(["eval", file("bad.tsv", "no tab here\n"), ...model]);
    expect(bad.stderr).toMatch(/line 1 must be a source and a target with one tab between/);
    expect((await runCommand(["eval", path, ...model, "--stride", "3"])).stderr).toMatch(/--stride/);
  });
});

describe("hitherto score", () => {
  const hypotheses = file("hyp.txt", "The cat sat on the mat.\nA dog\n");
  const references = file("ref.txt", "The cat sat on a mat.\na dog barks\n");

  test("prints BLEU, chrF and error rates", async () => {
    const { stdout } = await runCommand(["score", hypotheses, references]);
    expect(stdout).toMatch(
      /^bleu {2}[\d.]+ {2}[\d./]+, brevity 0\.895, 9 words to 10 {2}nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\nchrf {2}[\d.]+ .*\nwer {3}33\.33 %\ncer {3}[\d.]+ %\n$/,
    );
    const several = await runCommand(["score", hypotheses, references, hypotheses, "--lowercase", "--json"]);
    expect(JSON.parse(several.stdout).bleu).toMatchObject({ brevityPenalty: 1, precisions: [100, 100, 100, 100] });
  });

  test("--phonemes takes the nearest pronunciation", async () => {
    const said = file("said.txt", "R EH1 D\nK AE1 T\n");
    const words = ["score", said, file("a.txt", "R IY1 D\nK AE1 T S\n"), file("b.txt", "R EH1 D\nK AE1 T S\n")];
    expect((await runCommand([...words, "--phonemes"])).stdout).toBe("per   14.29 %\nwer   50.00 %\n");
  });

  test("files of different lengths are refused", async () => {
    const result = await runCommand(["score", hypotheses, file("short.txt", "x\n")]);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/lines of .*short.txt must be 2, as in/) });
  });
});
