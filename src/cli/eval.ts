/** `hitherto eval <file>`: how well a model predicts a text. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { FileNotFoundError } from "../core/errors.js";
import { type Evaluation, evaluate as evaluateText } from "../generation/evaluate.js";
import { wholeNumber } from "./flags.js";
import { addModelFlags, given, loadWithTokenizer, type ModelFlags, progressFor } from "./model-flags.js";
import type { Terminal } from "./terminal.js";

export interface EvalFlags extends ModelFlags {
  readonly stride?: number;
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

With --json, one object of these four. Decoder-only models only.`;

export function addEval(program: Command, terminal: Terminal): void {
  const command = program.command("eval").argument("<file>", 'a text file, UTF-8; "-" reads standard input');
  command.description("measure how well a model predicts a text: perplexity and bits per byte");
  const stride = new Option("--stride <N>", "tokens that each window after the first adds (default: half a window)");
  addModelFlags(command)
    .addOption(stride.argParser(wholeNumber("--stride", 1)))
    .option("--json", "print one JSON object (default: a readable summary)")
    .addHelpText("after", afterHelp)
    .action((file: string, flags: EvalFlags) => evaluate(file, flags, terminal));
}

export async function evaluate(file: string, flags: EvalFlags, terminal: Terminal): Promise<void> {
  const text = await readText(file, terminal);
  await using model = await loadWithTokenizer(flags, terminal);
  const progress = progressFor(flags, terminal, "evaluating");
  try {
    const { signal } = terminal;
    const onProgress = (done: number, total: number) => progress.update(done, total);
    const result = await evaluateText(model, text, { ...given({ stride: flags.stride }), signal, onProgress });
    progress.clear();
    if (flags.json) await terminal.printJson(result);
    else await terminal.print(summary(result));
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
