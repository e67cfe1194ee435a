/** `hitherto score <hypotheses> <references...>`: how near translations come to what people wrote. */
import type { Command } from "commander";
import { InvalidValueError } from "../core/errors.js";
import { bleu } from "../generation/metrics/bleu.js";
import { chrf } from "../generation/metrics/chrf.js";
import { characterErrorRate, pronunciationErrors, wordErrorRate } from "../generation/metrics/error-rate.js";
import { linesOf, readText } from "./lines.js";
import type { Terminal } from "./terminal.js";

export interface ScoreFlags {
  readonly lowercase?: boolean;
  readonly tokenized?: boolean;
  readonly phonemes?: boolean;
  readonly json?: boolean;
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

With --json, one object: {"bleu": {"score", "precisions", …, "signature"},
"chrf": {…}, "wordErrorRate", "characterErrorRate"}, or with --phonemes
{"phonemeErrorRate", "wordErrorRate"}.`;

export function addScore(program: Command, terminal: Terminal): void {
  program
    .command("score")
    .description("score translations or pronunciations against references: BLEU, chrF, error rates")
    .argument("<hypotheses>", "a text file, UTF-8")
    .argument("<references...>", "text files with as many lines")
    .option("--lowercase", "take upper and lower case for the same (default: off)")
    .option("--tokenized", "the text is tokenised already: cut it at white space (default: off)")
    .option("--phonemes", "lines are pronunciations (default: off)")
    .option("--json", "print one JSON object (default: a readable summary)")
    .addHelpText("after", afterHelp)
    .action((file: string, references: string[], flags: ScoreFlags) => score(file, references, flags, terminal));
}

export async function score(
  file: string,
  referenceFiles: readonly string[],
  flags: ScoreFlags,
  terminal: Terminal,
): Promise<void> {
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
  const references = hypotheses.map((_, i) => columns.map((lines) => lines[i]!));
  const result = flags.phonemes
    ? pronunciationErrors(hypotheses, references)
    : translation(hypotheses, references, flags);
  if (flags.json) await terminal.printJson(result);
  else await terminal.print(summary(result));
}

type TranslationScores = ReturnType<typeof translation>;

function translation(hypotheses: readonly string[], references: readonly string[][], flags: ScoreFlags) {
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
