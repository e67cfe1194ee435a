/** `hitherto eval <file>`: how well a model predicts a text. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { FileNotFoundError } from "../core/errors.js";
import { type Comparison, compare } from "../generation/compare.js";
import { type Evaluation, evaluate as evaluateText } from "../generation/evaluate.js";
import { wholeNumber } from "./flags.js";
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
and both are scored; it is the one that the first should be like:

  klDivergence  sum of p_other ln(p_other / p) after each token, in nats: mean,
                median, and what 99 of 100 tokens do not exceed
  topAgreement  share of tokens before which both find the same one likeliest

With --json, one object of the first four; with --against also "other", which
has its four, "klDivergence": {"mean", "median", "percentile99"} and
"topAgreement". Decoder-only models only.`;

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
    flags.against === undefined ? undefined : await loadWithTokenizer({ ...flags, model: flags.against }, terminal);
  const progress = progressFor(flags, terminal, "evaluating");
  try {
    const { signal } = terminal;
    const onProgress = (done: number, total: number) => progress.update(done, total);
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

async function readText(file: string, terminal: Terminal): Promise<string> {
  if (file === "-") return terminal.readInput();
  return readFile(file, { encoding: "utf8", signal: terminal.signal }).catch((error: NodeJS.ErrnoException) => {
    terminal.signal.throwIfAborted();
    throw new FileNotFoundError(file, "a readable text file", error.code);
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
