/** Where a command reads and writes, and how it learns that it should stop: the process's own streams, or a test's. */
import { once } from "node:events";
import { HithertoError } from "../core/errors.js";

/** What commands use of a readable stream. */
export type Input = AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
/** What commands use of a writable stream. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };

/** Signals that ask a process to end, and the exit codes that shells know them by. */
const interruptions = { SIGINT: 130, SIGTERM: 143 } as const;

/** Somebody pressed Ctrl-C, or asked for the end in another way. */
export class InterruptedError extends HithertoError {
  readonly code = "INTERRUPTED";

  constructor(readonly exitCode: number = interruptions.SIGINT) {
    super("interrupted");
  }
}

/** Whoever read our output has had enough, as `head` does. */
export class OutputClosedError extends HithertoError {
  readonly code = "OUTPUT_CLOSED";

  constructor() {
    super("the output was closed");
  }
}

export class Terminal {
  readonly #stop = new AbortController();

  constructor(
    readonly input: Input,
    readonly output: Output,
    readonly errors: Output,
  ) {
    for (const stream of [output, errors]) {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        this.stop(error.code === "EPIPE" ? new OutputClosedError() : error);
      });
    }
  }

  /** Aborted, with the reason, when the command should come to an end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  stop(reason: Error): void {
    this.#stop.abort(reason);
  }

  /** Writes to standard output; waits where the reader is slower. */
  async print(text: string): Promise<void> {
    if (text === "" || this.signal.reason instanceof OutputClosedError) return;
    if (!this.output.write(text)) await once(this.output, "drain", { signal: this.signal });
  }

  /** Writes one JSON value and a line's end to standard output. */
  async printJson(value: unknown): Promise<void> {
    await this.print(`${JSON.stringify(value)}\n`);
  }

  /** Writes one line to standard error. */
  notice(text: string): void {
    this.errors.write(`${text}\n`);
  }

  /** All of standard input, as UTF-8. */
  async readInput(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of this.input) {
      this.signal.throwIfAborted();
      text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    }
    return text + decoder.decode();
  }
}

/**
 * The process's own terminal. The first Ctrl-C asks the command to stop, so that nothing half-written stays; the second
 * ends the process. The same for SIGTERM, which `timeout` sends.
 */
export function systemTerminal(): Terminal {
  const terminal = new Terminal(process.stdin, process.stdout, process.stderr);
  for (const [name, exitCode] of Object.entries(interruptions)) {
    process.on(name, () => {
      if (terminal.signal.aborted) process.exit(exitCode);
      terminal.stop(new InterruptedError(exitCode));
      // A read of standard input would wait for ever.
      process.stdin.destroy();
    });
  }
  return terminal;
}
