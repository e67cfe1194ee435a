/** A progress bar on standard error: on a terminal only, and only for what takes longer than half a second. */
import type { Output } from "./terminal.js";

/** Milliseconds of work before a bar appears, and between two drawings of it. */
const patience = 500;
const interval = 100;
const width = 24;

/** Takes the share done, from 0 to 1. */
export interface Progress {
  update(done: number, total: number): void;
  /** Wipes the bar away, so that what follows begins on a clean line. */
  clear(): void;
}

/** Shows nothing: for pipes and for `--json`. */
export const noProgress: Progress = { update: () => {}, clear: () => {} };

/** A bar on `output` where that is a terminal, else nothing. */
export function progressOn(output: Output, label: string, now: () => number = () => performance.now()): Progress {
  return output.isTTY === true ? new ProgressBar(output, label, now) : noProgress;
}

class ProgressBar implements Progress {
  readonly #start: number;
  #drawn = Number.NEGATIVE_INFINITY;

  constructor(
    readonly output: Output,
    readonly label: string,
    readonly now: () => number,
  ) {
    this.#start = now();
  }

  update(done: number, total: number): void {
    const time = this.now();
    if (time - this.#start < patience || time - this.#drawn < interval) return;
    this.#drawn = time;
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const filled = Math.round(share * width);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const bar = `${this.label} ${"█".repeat(filled)}${"░".repeat(width - filled)}${percent}`;
    this.output.write(`\r\u001b[K${bar.slice(0, (this.output.columns || 80) - 1)}`);
  }

  clear(): void {
    if (this.#drawn === Number.NEGATIVE_INFINITY) return;
    this.#drawn = Number.NEGATIVE_INFINITY;
    this.output.write("\r\u001b[K");
  }
}
