/** Lets timers, signals and other requests have their turn during long work that never waits by itself. */

/** Milliseconds of work after which the event loop gets its turn. */
const interval = 12;

declare const setImmediate: ((callback: () => void) => unknown) | undefined;

/** Counts time since the event loop last had its turn. */
export class Breather {
  #last = performance.now();

  /** Whether it has been a while: a loop that is in a hurry asks this before it calls `breathe`. */
  get isDue(): boolean {
    return performance.now() - this.#last >= interval;
  }

  /** Returns at once, except when it has been a while: then after one turn of the event loop. */
  async breathe(): Promise<void> {
    if (!this.isDue) return;
    await new Promise<void>((resolve) => {
      if (typeof setImmediate === "function") setImmediate(resolve);
      else setTimeout(resolve, 0);
    });
    this.#last = performance.now();
  }
}
