/** `hitherto score <hypotheses> <references...>`: how near translations come to what people wrote. */
import { type Command, Option } from "commander";
import { InvalidValueError } from "../core/errors.js";
import { bleu } from "../generation/metrics/bleu.js";
import { chrf } from "../generation/metrics/chrf.js";
import { characterErrorRate, pronunciationErrors, wordErrorRate } from "../generation/metrics/error-rate.js";
import { backendNames } from "../load-model.node.js";
import { FlagError, oneOf, wholeNumber } from "./flags.js";
import { linesOf, readText } from "./lines.js";
import { type ScoredLines, type ScoreRunFlags, scoredRun } from "./score-run.js";
import { searchOptions } from "./search-flags.js";
import type { Terminal } from "./terminal.js";

export interface ScoreFlags extends ScoreRunFlags {
  readonly lowercase?: boolean;
  readonly tokenized?: boolean;
}

const afterHelp = `
Every file has one line for each segment; "-" reads one of them from standard
input. Several references count together.

  bleu   sacreBLEU's, tokenised by mteval-v13a, smoothed exponentially; with
         --tokenized the text is cut at white space and nothing is smoothed,
         as multi-bleu does
  chrf   sacreBLEU's: characters in runs of up to six
  wer    edits of words over words of the (first) reference
  cer    the same for characters

With --phonemes, lines are pronunciations, phonemes with spaces between them:

  per    edits of phonemes over phonemes of the nearest reference
  wer    share of lines that equal no reference

With --run, the trained model translates what its run held out, or what two
files say, made ready as the run's data was; every pair is a line with one
reference, with --phonemes every source one with all of its targets.

With --json, one object: {"bleu": {"score", "precisions", …, "signature"},
"chrf": {…}, "wordErrorRate", "characterErrorRate"}, or with --phonemes
{"phonemeErrorRate", "wordErrorRate"}.`;

export function addScore(program: Command, terminal: Terminal): void {
  const command = program
    .command("score")
    .description("score translations or pronunciations against references: BLEU, chrF, error rates")
    .argument("[hypotheses]", "a text file, UTF-8")
    .argument("[references...]", "text files with as many lines")
    .option("--lowercase", "take upper and lower case for the same (default: off)")
    .option("--tokenized", "the text is tokenised already: cut it at white space (default: off)")
    .option("--phonemes", "lines are pronunciations (default: off)");
  for (const option of runOptions()) command.addOption(option);
  command
    .option("--json", "print one JSON object (default: a readable summary)")
    .addHelpText("after", afterHelp)
    .action((file: string | undefined, references: string[], flags: ScoreFlags) =>
      score(file, references, flags, terminal),
    );
}

function runOptions(): Option[] {
  const option = (flags: string, help: string) => new Option(flags, help);
  return [
    option("--run <FOLDER>", "score the model of this training run instead of files (default: none)"),
    option("--model <PATH>", "another model to score on the run's pairs (default: the run's)"),
    option("--source <FILE>", "with --target: pairs to score on, for parallel data (default: those held out)"),
    option("--target <FILE>", "the references of --source (default: those held out)"),
    option("--output <FILE>", "write the translations to this file (default: none)"),
    ...searchOptions(),
    option("--threads <N>", "threads to compute with, 1 to 64 (default: one per core)").argParser(
      wholeNumber("--threads", 1, 64),
    ),
    option("--backend <NAME>", "what computes (default: native where it was built, else wasm)").argParser(
      oneOf("--backend", backendNames),
    ),
  ];
}

export async function score(
  file: string | undefined,
  referenceFiles: readonly string[],
  flags: ScoreFlags,
  terminal: Terminal,
): Promise<void> {
  const lines = await linesToScore(file, referenceFiles, flags, terminal);
  const result = flags.phonemes ? pronunciationErrors(lines.hypotheses, lines.references) : translation(lines, flags);
  if (flags.json) await terminal.printJson(result);
  else await terminal.print(summary(result));
}

async function linesToScore(
  file: string | undefined,
  referenceFiles: readonly string[],
  flags: ScoreFlags,
  terminal: Terminal,
): Promise<ScoredLines> {
  if (flags.run !== undefined) {
    if (file !== undefined) throw new FlagError("--run", "absent where files are scored", flags.run);
    return scoredRun(flags.run, flags, terminal);
  }
  for (const name of ["model", "source", "target", "output"] as const) {
    if (flags[name] !== undefined) throw new FlagError(`--${name}`, "absent without --run", flags[name]);
  }
  if (file === undefined || referenceFiles.length === 0) {
    throw new FlagError("files", "hypotheses and references, or --run FOLDER", file ?? "none");
  }
  return linesOfFiles(file, referenceFiles, flags, terminal);
}

async function linesOfFiles(
  file: string,
  referenceFiles: readonly string[],
  flags: ScoreFlags,
  terminal: Terminal,
): Promise<ScoredLines> {
  const read = async (path: string) => {
    const lines = linesOf(await readText(path, terminal));
    return flags.lowercase ? lines.map((line) => line.toLowerCase()) : lines;
  };
  const hypotheses = await read(file);
  const columns: string[][] = [];
  for (const path of referenceFiles) {
    const lines = await read(path);
    if (lines.length !== hypotheses.length) {
      throw new InvalidValueError(`lines of ${path}`, `${hypotheses.length}, as in ${file}`, lines.length);
    }
    columns.push(lines);
  }
  return { hypotheses, references: hypotheses.map((_, i) => columns.map((lines) => lines[i]!)) };
}

type TranslationScores = ReturnType<typeof translation>;

function translation({ hypotheses, references }: ScoredLines, flags: ScoreFlags) {
  const { lowercase = false, tokenized = false } = flags;
  const smoothing = tokenized ? "none" : "exp";
  const first = references.map((each) => each[0]!);
  return {
    bleu: bleu(hypotheses, references, { lowercase, tokenize: tokenized ? "none" : "13a", smoothing }),
    chrf: chrf(hypotheses, references, { lowercase }),
    wordErrorRate: wordErrorRate(hypotheses, first),
    characterErrorRate: characterErrorRate(hypotheses, first),
  };
}

function summary(result: TranslationScores | ReturnType<typeof pronunciationErrors>): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  if ("phonemeErrorRate" in result) {
    return `per   ${percent(result.phonemeErrorRate)}\nwer   ${percent(result.wordErrorRate)}\n`;
  }
  const { bleu, chrf, wordErrorRate, characterErrorRate } = result;
  const precisions = bleu.precisions.map((each) => each.toFixed(1)).join("/");
  const lengths = `${bleu.hypothesisLength} words to ${bleu.referenceLength}`;
  return [
    `bleu  ${bleu.score.toFixed(2)}  ${precisions}, brevity ${bleu.brevityPenalty.toFixed(3)}, ${lengths}  ${bleu.signature}`,
    `chrf  ${chrf.score.toFixed(2)}  ${chrf.signature}`,
    `wer   ${percent(wordErrorRate)}`,
    `cer   ${percent(characterErrorRate)}\n`,
  ].join("\n");
}
