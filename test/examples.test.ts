/** Every example runs, on a model small enough for any machine. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { temporaryFolder, tinyModel } from "./support/tiny-checkpoint.js";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "examples");
const examples = readdirSync(folder).filter((name) => name.endsWith(".ts"));

/** What a line or more of each example's output looks like. */
const outputs: Readonly<Record<string, RegExp>> = {
  "constrained.ts":
    /a document: \{.*"tame":(true|false).* with 3 members\na date: {2}20\d\d-[01]\d\na choice: {2}(happy|sad)\nThey counted:( [1-9],){3}/s,
  "generate.ts": /ended by (maxTokens|end), \d+\.\d nats/,
  "session.ts": /the same again: true\nThe cat sat on the mat.+\nThe cat sat in the rain/s,
  "save-and-share.ts":
    /restored, the same again: true\nedited: ".*"\nthe prompt: -\d+\.\d .*\nwithout end: 100 tokens\nshared: \d+ sessions/,
  "logits.ts": /^ *\d+\.\d\d bits {2}n\n.*perplexity \d+\.\d\d, \d+\.\d{3} bits per byte\n$/s,
  "speculation.ts": /draft: (\d+) of \1 accepted in \d+ passes(.|\n)*all the same: true\n$/,
  "train.ts":
    /MiB, all told\nstep 50: loss \d\.\d\d, held out \d\.\d\d\n(.|\n)*step 150: .*\nthe small cat (found|went|saw|was)/,
  "inspect.ts": /^\d+ results, such as .*16 tokens × 64; the first head looks at\n1\.00 {2}0\.00/s,
};

/** Examples that run on the package's own model, whose vocabulary has all characters, or on one that they make. */
const own = new Set(["constrained.ts", "train.ts"]);

describe("examples", () => {
  afterEach(() => vi.restoreAllMocks());

  test("each is described here", () => expect(Object.keys(outputs).sort()).toEqual(examples));

  test.each(examples)("%s", async (name) => {
    const words = process.argv;
    process.argv = [words[0]!, name, ...(own.has(name) ? [] : [tinyModel()])];
    try {
      expect(await outputOf(join(folder, name))).toMatch(outputs[name]!);
    } finally {
      process.argv = words;
    }
  });

  test("the README's first program", async () => {
    const [, program] = /```ts\n(.*?)```/s.exec(readFileSync(join(folder, "..", "README.md"), "utf8"))!;
    const path = join(temporaryFolder(), "readme.ts");
    writeFileSync(path, `${program}console.log("\\nlast:", branch.text, logits.length, [...inside.keys()]);\n`);
    expect(await outputOf(path)).toMatch(/.{20}\nlast: The cat sat on the mat \d+ blocks\.0\.attention\.query\n$/s);
  });
});

/** What a module writes to standard output while it is loaded. */
async function outputOf(path: string): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  vi.spyOn(console, "log").mockImplementation((...values) => {
    text += `${values.join(" ")}\n`;
  });
  await import(path);
  return text;
}
