/** Runs the command line inside a test, with streams in the place of a terminal. */
import { PassThrough, Writable } from "node:stream";
import { run } from "../src/cli/program.js";
import { type Input, type Output, Terminal } from "../src/cli/terminal.js";
import type { StartTraining } from "../src/cli/train/run-training.js";

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What stands on standard input; absent: standard input is a terminal. */
  readonly input?: string;
  /** Whether standard output and standard error are terminals. Default false. */
  readonly isTTY?: boolean;
  /** What trains. Default: the package's trainer. */
  readonly startTraining?: StartTraining;
  /** Called with the terminal before the command begins. */
  readonly onStart?: (terminal: Terminal) => void;
  /** Called with the terminal and with each piece of standard output. */
  readonly onOutput?: (terminal: Terminal, text: string) => void;
}

export async function runCommand(words: readonly string[], options: RunOptions = {}): Promise<CommandResult> {
  const written = { stdout: "", stderr: "" };
  const input = Object.assign(new PassThrough(), { isTTY: options.input === undefined });
  input.end(options.input ?? "");
  const collect = (name: keyof typeof written): Output => {
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        if (name === "stdout") options.onOutput?.(terminal, String(chunk));
        done();
      },
    });
    return Object.assign(stream, { isTTY: options.isTTY ?? false });
  };
  const terminal = new Terminal(input as Input, collect("stdout"), collect("stderr"));
  options.onStart?.(terminal);
  const code = await run(words, terminal, options.startTraining);
  return { code, ...written };
}
