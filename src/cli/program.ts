/** The command line as a whole: which commands there are, and how each ending becomes an exit code. */
import { Command, CommanderError } from "commander";
import { HithertoError } from "../core/errors.js";
import { packageVersion } from "../embedded-models.node.js";
import { addBench } from "./bench.js";
import { addConvert } from "./convert.js";
import { addEval } from "./eval.js";
import { addFinetune } from "./finetune.js";
import { FlagError } from "./flags.js";
import { addGenerate } from "./generate.js";
import { addInspect } from "./inspect.js";
import { addPlot } from "./plot.js";
import { addScore } from "./score.js";
import { InterruptedError, OutputClosedError, type Terminal } from "./terminal.js";
import { addTokenize } from "./tokenize.js";
import type { StartTraining } from "./train/run-training.js";
import { addTrain } from "./train.js";
import { addTranslate } from "./translate.js";

export const exitCodes = { success: 0, failure: 1, wrongUsage: 2 } as const;

const afterHelp = `
Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted by Ctrl-C,
143 by SIGTERM.
Results go to standard output; notices, progress and errors to standard error.
With --json a failure is also {"error": {"code", "message"}} there.

  hitherto generate "Once upon a time" --temperature 0.8 --seed 1
  hitherto inspect model.gguf`;

/**
 * Runs one command line to its end.
 * @param words - what follows the command's own name
 * @param startTraining - what trains, where it is not the package's trainer
 * @returns the exit code; nothing is thrown
 */
export async function run(
  words: readonly string[],
  terminal: Terminal,
  startTraining?: StartTraining,
): Promise<number> {
  try {
    const program = createProgram(terminal, startTraining);
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(withoutLostHelp(program, words), { from: "user" });
    return exitCodes.success;
  } catch (error) {
    return ending(terminal.signal.aborted ? terminal.signal.reason : error, asksForJson(words), terminal);
  }
}

/** `help` for what is no command: the parser is given that alone, since then it says what is wrong with it. */
function withoutLostHelp(program: Command, words: readonly string[]): readonly string[] {
  const [first, topic] = words;
  const lost = first === "help" && topic !== undefined && program.commands.every((command) => command.name() !== topic);
  return lost ? [topic] : words;
}

function createProgram(terminal: Terminal, startTraining?: StartTraining): Command {
  const program = new Command("hitherto")
    .description("Train, run, measure and look into autoregressive transformers.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.output.write(text),
      // What went wrong is told once, by `ending`.
      writeErr: () => {},
    });
  const commands = [addGenerate, addTranslate, addInspect, addTokenize, addEval, addScore, addBench, addConvert];
  for (const add of commands) add(program, terminal);
  addTrain(program, terminal, startTraining);
  addFinetune(program, terminal, startTraining);
  addPlot(program, terminal);
  return program.addHelpText("after", afterHelp);
}

/** Tells what ended a command, on standard error, and which exit code that is. */
function ending(error: unknown, json: boolean, terminal: Terminal): number {
  if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.success;
  if (error instanceof OutputClosedError) return exitCodes.success;
  const message = messageOf(error);
  if (!(error instanceof InterruptedError)) terminal.notice(`hitherto: ${message}`);
  if (json) terminal.notice(JSON.stringify({ error: { code: codeOf(error), message } }));
  if (error instanceof InterruptedError) return error.exitCode;
  return error instanceof CommanderError || error instanceof FlagError ? exitCodes.wrongUsage : exitCodes.failure;
}

/** One line. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const named = error instanceof Error && !isDeliberate(error) ? `${error.name}: ${message}` : message;
  return named.replace(/^error: /, "").replaceAll(/\s*\n\s*/g, " ");
}

function codeOf(error: unknown): string {
  if (error instanceof CommanderError) return "WRONG_USAGE";
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "UNEXPECTED";
}

/** Errors that were written for a reader: ours, the parser's, and the operating system's. */
function isDeliberate(error: Error): boolean {
  return error instanceof HithertoError || error instanceof CommanderError || "errno" in error;
}

function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  return words.slice(0, end < 0 ? undefined : end).includes("--json");
}
