/** `hitherto translate [text]`: what an encoder-decoder model makes of a text, or of each line of a file. */
import { type FileHandle, open } from "node:fs/promises";
import { type Command, Option } from "commander";
import { FileNotFoundError, InvalidValueError, UnsupportedError } from "../core/errors.js";
import { defaultTranslator, modelPath } from "../embedded-models.node.js";
import type { Model } from "../generation/model.js";
import type { Hypothesis } from "../generation/search/hypothesis.js";
import type { BeamSearchOptions } from "../generation/search/options.js";
import { FlagError, texts } from "./flags.js";
import { linesOf, readText } from "./lines.js";
import { addModelFlags, loadWithTokenizer, type ModelFlags, progressFor } from "./model-flags.js";
import { type SearchFlags, searchOf, searchOptions, wholeOption } from "./search-flags.js";
import type { Terminal } from "./terminal.js";

export interface TranslateFlags extends ModelFlags, SearchFlags {
  readonly input?: string;
  readonly output?: string;
  readonly nBest: number;
  readonly maxTokens: number;
  readonly minTokens: number;
  readonly mustInclude?: readonly string[];
}

const afterHelp = `
Without a text, each line of --input or of standard input is translated by
itself, and gives one line; blank lines stay blank. Lines of one batch are
computed together, which is faster and changes nothing of what comes out.

Beam search as in Hugging Face generate: a hypothesis' score is its sum of
ln p, divided by its length to the power of --length-penalty. --early-stopping
true ends at the first --beams finished ones; false when the best beam as long
as it is now is no better than they are; never when none can become better.

With --n-best N, N lines for each: line number, score, text, with tabs between.
With --json, an object for each line: {"source", "hypotheses": [{"text",
"score", "logprob", "tokens", "stop": {"kind", …}}]}.`;

export function addTranslate(program: Command, terminal: Terminal): void {
  const command = program.command("translate").argument("[text]", 'the text to translate; "-" reads standard input');
  command.description("translate a text, or the lines of a file, with an encoder-decoder model");
  for (const option of translateOptions()) command.addOption(option);
  addModelFlags(command, defaultTranslator)
    .option("--json", "print a JSON object for each line (default: text)")
    .addHelpText("after", afterHelp)
    .action((text: string | undefined, flags: TranslateFlags) => translate(text, flags, terminal));
}

function translateOptions(): Option[] {
  const option = (flags: string, help: string) => new Option(flags, help);
  return [
    option("--input <FILE>", "translate the lines of this file (default: standard input)"),
    option("--output <FILE>", "write to this file (default: standard output)"),
    ...searchOptions(),
    wholeOption("--n-best <N>", "hypotheses to print for each line, at most --beams", 1),
    wholeOption("--max-tokens <N>", "tokens of a translation at most", 256),
    wholeOption("--min-tokens <N>", "tokens before a translation may end", 0, 0),
    option("--must-include <TEXT>", "a phrase that every translation has; repeatable (default: none)").argParser(
      texts("--must-include"),
    ),
  ];
}

export async function translate(text: string | undefined, flags: TranslateFlags, terminal: Terminal): Promise<void> {
  if (flags.nBest > flags.beams) throw new FlagError("--n-best", `at most --beams ${flags.beams}`, `${flags.nBest}`);
  if (flags.minTokens > flags.maxTokens) {
    throw new FlagError("--min-tokens", `at most --max-tokens ${flags.maxTokens}`, `${flags.minTokens}`);
  }
  const path = modelPath(flags.model, defaultTranslator);
  const lines = await sourcesOf(text, flags, terminal);
  await using model = await loadWithTokenizer({ ...flags, model: path }, terminal);
  if (model.config.kind !== "encoder-decoder") {
    throw new UnsupportedError("translation with the kind of model", model.config.kind, ["encoder-decoder"]);
  }
  const file = flags.output === undefined ? undefined : await openOutput(flags.output);
  const progress = progressFor(flags, terminal, "translating");
  try {
    for (let from = 0; from < lines.length; from += flags.batch) {
      const batch = lines.slice(from, from + flags.batch);
      const onProgress = (done: number) => progress.update(from + done, lines.length);
      const found = await translateLines(model, batch, from + 1, flags, { signal: terminal.signal, onProgress });
      const written = found.map((each, i) => entry(from + i + 1, batch[i]!, each, flags)).join("");
      if (file === undefined) progress.clear();
      await (file === undefined ? terminal.print(written) : file.writeFile(written));
    }
  } finally {
    progress.clear();
    await file?.close();
  }
}

async function sourcesOf(text: string | undefined, flags: TranslateFlags, terminal: Terminal): Promise<string[]> {
  if (text !== undefined && text !== "-") {
    if (flags.input !== undefined) throw new FlagError("--input", "absent where a text is given", flags.input);
    return [text];
  }
  return linesOf(await readText(flags.input ?? "-", terminal));
}

/** Opened before anything is computed, so that a path that cannot be written fails at once. */
async function openOutput(path: string): Promise<FileHandle> {
  return open(path, "w").catch((error: NodeJS.ErrnoException) => {
    throw new FileNotFoundError(path, "a file that can be written", error.code);
  });
}

/** @param first - number of the first of the lines */
async function translateLines(
  model: Model,
  lines: readonly string[],
  first: number,
  flags: TranslateFlags,
  listeners: Pick<BeamSearchOptions, "signal" | "onProgress">,
): Promise<Hypothesis[][]> {
  const sources = lines.map((line, i) => sourceOf(model, line, first + i));
  const filled = [...lines.keys()].filter((i) => sources[i]!.length > 0);
  const { nBest, maxTokens, minTokens, mustInclude = [] } = flags;
  const tokens = minTokens > 0 ? { tokens: { minNewTokens: minTokens } } : {};
  const options = { ...searchOf(flags), count: nBest, maxTokens, mustInclude, ...tokens, ...listeners };
  const found = await model.beamSearchAll(
    filled.map((i) => ({ source: sources[i]! })),
    options,
  );
  const results: Hypothesis[][] = lines.map(() => []);
  for (const [i, hypotheses] of found.entries()) results[filled[i]!] = hypotheses;
  return results;
}

/** Token ids of a line; none of a blank one. @throws InvalidValueError for a line that is too long */
function sourceOf(model: Model, line: string, number: number): ArrayLike<number> {
  if (line.trim() === "") return [];
  const { source = [] } = model.encode({ source: line });
  if (source.length <= model.contextLength) return source;
  throw new InvalidValueError(`line ${number}`, `at most ${model.contextLength} tokens long`, source.length);
}

function entry(line: number, source: string, hypotheses: readonly Hypothesis[], flags: TranslateFlags): string {
  if (flags.json) {
    const listed = hypotheses.map(({ text, score, logprob, tokens, stop }) => ({ text, score, logprob, tokens, stop }));
    return `${JSON.stringify({ source, hypotheses: listed })}\n`;
  }
  if (flags.nBest === 1) return `${oneLine(hypotheses[0]?.text ?? "")}\n`;
  return hypotheses.map(({ text, score }) => `${line}\t${score.toFixed(4)}\t${oneLine(text)}\n`).join("");
}

/** A line for a line: line breaks inside a translation become spaces. */
function oneLine(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, " ");
}
