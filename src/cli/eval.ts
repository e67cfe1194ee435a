/** `hitherto eval <file>`: how well a model predicts a text, or targets from their sources. */
import { type Command, Option } from "commander";
import { InvalidValueError, UnsupportedError } from "../core/errors.js";
import { type Comparison, compare } from "../generation/compare.js";
import { type Evaluation, evaluate as evaluateText } from "../generation/evaluate.js";
import { evaluatePairs, type TextPair } from "../generation/evaluate-pairs.js";
import { wholeNumber } from "./flags.js";
import { linesOf, readText } from "./lines.js";
import { addModelFlags, given, loadWithTokenizer, type ModelFlags, progressFor } from "./model-flags.js";
import type { Terminal } from "./terminal.js";

export interface EvalFlags extends ModelFlags {
  readonly stride?: number;
  readonly against?: string;
}

const afterHelp = `
Every token but the first is predicted once, from what comes before it in a
window of --context-length tokens. Each window after the first reads some of
the last again and scores the next --stride tokens; where the tokenizer begins
a text with a special token, every window begins with it.

  tokens       tokens that were predicted
  nll          mean of -ln p(token), in nats per token
  perplexity   e^nll
  bitsPerByte  sum of -log2 p(token), divided by the UTF-8 bytes of the text:
               comparable between tokenizers

With --against, a second model with the same vocabulary reads the same tokens,
and both are scored; it is the one that the first should be like, and its cache
is f32 whatever --cache-type says:

  klDivergence  sum of p_other ln(p_other / p) after each token, in nats: mean,
                median, and what 99 of 100 tokens do not exceed
  topAgreement  share of tokens before which both find the same one likeliest

With --json, one object of the first four; with --against also "other", which
has its four, "klDivergence": {"mean", "median", "percentile99"} and
"topAgreement".

For an encoder-decoder model every line of the file is a source and its target,
with a tab between; every token of the targets and the end after each is
predicted from the right ones before it. There are no windows and no --against;
--json has "pairs" too.`;

export function addEval(program: Command, terminal: Terminal): void {
  const command = program.command("eval").argument("<file>", 'a text file, UTF-8; "-" reads standard input');
  command.description("measure how well a model predicts a text: perplexity and bits per byte");
  const stride = new Option("--stride <N>", "tokens that each window after the first adds (default: half a window)");
  addModelFlags(command)
    .addOption(stride.argParser(wholeNumber("--stride", 1)))
    .option("--against <PATH>", "also score this model, and print how far --model is from it (default: none)")
    .option("--json", "print one JSON object (default: a readable summary)")
    .addHelpText("after", afterHelp)
    .action((file: string, flags: EvalFlags) => evaluate(file, flags, terminal));
}

export async function evaluate(file: string, flags: EvalFlags, terminal: Terminal): Promise<void> {
  const text = await readText(file, terminal);
  await using model = await loadWithTokenizer(flags, terminal);
  await using other =
    flags.against === undefined ? undefined : await loadWithTokenizer(flagsOfOther(flags, flags.against), terminal);
  const progress = progressFor(flags, terminal, "evaluating");
  try {
    const { signal } = terminal;
    const onProgress = (done: number, total: number) => progress.update(done, total);
    if (model.config.kind === "encoder-decoder") {
      const result = await evaluatePairs(model, pairsOf(text, file, flags), { signal, onProgress });
      progress.clear();
      await (flags.json
        ? terminal.printJson(result)
        : terminal.print(`pairs          ${result.pairs}\n${summary(result)}`));
      return;
    }
    const options = { ...given({ stride: flags.stride }), signal, onProgress };
    const compared = other && (await compare(model, other, text, options));
    const result = compared ?? (await evaluateText(model, text, options));
    progress.clear();
    if (flags.json) await terminal.printJson(result);
    else await terminal.print(compared === undefined ? summary(result) : comparison(compared));
  } finally {
    progress.clear();
  }
}

/** The other model is what the first should be like: its cache is plain. */
function flagsOfOther(
  { cacheType: _, cacheTypeK: __, cacheTypeV: ___, ...flags }: EvalFlags,
  model: string,
): ModelFlags {
  return { ...flags, model };
}

/** Lines of source, tab, target. Blank lines are skipped. */
function pairsOf(text: string, file: string, { stride, against }: EvalFlags): TextPair[] {
  if (stride !== undefined || against !== undefined) {
    const flag = stride !== undefined ? "--stride" : "--against";
    throw new UnsupportedError("with an encoder-decoder model the flag", flag, ["files of pairs, whole"]);
  }
  return linesOf(text).flatMap((line, i) => {
    if (line.trim() === "") return [];
    const [source, target, ...more] = line.split("\t");
    if (target !== undefined && more.length === 0) return [{ source: source!, target }];
    throw new InvalidValueError(`${file}, line ${i + 1}`, "a source and a target with one tab between", line);
  });
}

function summary({ tokens, nll, perplexity, bitsPerByte = Number.NaN }: Evaluation): string {
  return [
    `tokens         ${tokens}`,
    `nll            ${nll.toFixed(4)} nats per token`,
    `perplexity     ${perplexity.toFixed(3)}`,
    `bits per byte  ${bitsPerByte.toFixed(4)}\n`,
  ].join("\n");
}

function comparison({ other, klDivergence, topAgreement, ...own }: Comparison): string {
  const row = (label: string, value: number, otherValue: number | undefined, digits: number, unit = "") =>
    `${label.padEnd(15)}${value.toFixed(digits).padStart(10)}${(otherValue?.toFixed(digits) ?? "").padStart(12)}${unit}`;
  const change = 100 * (own.perplexity / other.perplexity - 1);
  const { mean, median, percentile99 } = klDivergence;
  return [
    `${"".padEnd(15)}${"model".padStart(10)}${"other".padStart(12)}`,
    row("tokens", own.tokens, other.tokens, 0),
    row("nll", own.nll, other.nll, 4, "  nats per token"),
    row("perplexity", own.perplexity, other.perplexity, 3, `  ${change < 0 ? "" : "+"}${change.toFixed(2)} %`),
    row("bits per byte", own.bitsPerByte ?? Number.NaN, other.bitsPerByte, 4),
    `kl divergence  ${mean.toExponential(2)} mean, ${median.toExponential(2)} median, ${percentile99.toExponential(2)} 99th percentile, nats`,
    `same likeliest ${(100 * topAgreement).toFixed(2)} %\n`,
  ].join("\n");
}
