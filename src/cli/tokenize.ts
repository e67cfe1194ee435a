/** `hitherto tokenize [text]`: shows how a model's tokenizer reads a text. */
import type { Command } from "commander";
import { modelPath } from "../embedded-models.node.js";
import { openTokenizer } from "../open-tokenizer.node.js";
import type { Tokenizer } from "../tokenizers/index.js";
import { given, modelHelp, tokenizerHelp } from "./model-flags.js";
import type { Terminal } from "./terminal.js";

export interface TokenizeFlags {
  readonly model?: string;
  readonly tokenizer?: string;
  readonly specialTokens: boolean;
  readonly json?: boolean;
}

const afterHelp = `
The text comes from standard input where it is absent or "-", taken as it is,
line breaks and all. Weights are never read: the model may also be a
tokenizer.json, a SentencePiece .model, or a folder with nothing but these.

With --json, the token ids: [1,403,407]. Without it, a table of index, id,
vocabulary entry and text.`;

export function addTokenize(program: Command, terminal: Terminal): void {
  program
    .command("tokenize")
    .description("show the token ids of a text")
    .argument("[text]", 'the text; "-" reads standard input')
    .option("--model <PATH>", modelHelp)
    .option("--tokenizer <FILE>", tokenizerHelp)
    .option("--no-special-tokens", "leave out what the model expects around a text (default: they are added)")
    .option("--json", "print the ids as a JSON array (default: a table)")
    .addHelpText("after", afterHelp)
    .action((text: string | undefined, flags: TokenizeFlags) => tokenize(text, flags, terminal));
}

export async function tokenize(text: string | undefined, flags: TokenizeFlags, terminal: Terminal): Promise<void> {
  const input = text === undefined || text === "-" ? await terminal.readInput() : text;
  const tokenizer = await openTokenizer(modelPath(flags.model), given({ tokenizer: flags.tokenizer }));
  const ids = Array.from(tokenizer.encode(input, { addSpecialTokens: flags.specialTokens }));
  if (flags.json) await terminal.printJson(ids);
  else await terminal.print(table(tokenizer, ids));
}

/** One line per token, in columns: index, id, entry as the vocabulary stores it, text that is complete with it. */
function table(tokenizer: Tokenizer, ids: readonly number[]): string {
  const stream = tokenizer.stream({ skipSpecialTokens: false });
  const rows = ids.map((id, index) => [
    String(index),
    String(id),
    escaped(tokenizer.tokenText(id)),
    JSON.stringify(stream.push(id)),
  ]);
  const widths = [0, 1, 2].map((column) => rows.reduce((most, row) => Math.max(most, row[column]!.length), 0));
  const line = ([index, id, entry, text]: string[]) =>
    `${index!.padStart(widths[0]!)}  ${id!.padStart(widths[1]!)}  ${entry!.padEnd(widths[2]!)}  ${text}\n`;
  return rows.map(line).join("") || "no tokens\n";
}

/** With line breaks and the like written out, so that every token keeps to its line. */
function escaped(entry: string): string {
  return JSON.stringify(entry).slice(1, -1);
}
