/** Memory that rows pass through on their way from a file into a packed matrix. */

import type { CpuRuntime } from "./cpu-runtime.js";
import { CpuMemory } from "./memory.js";

/**
 * A few pieces of memory, lent in the order of asking. They are kept from loan to loan, and given back to the runtime
 * when nobody has one or waits for one.
 */
export class Staging {
  readonly #idle: CpuMemory[] = [];
  readonly #waiting: (() => void)[] = [];
  #lent = 0;

  /** @param places - pieces that may be lent at once */
  constructor(
    readonly runtime: CpuRuntime,
    readonly places: number,
  ) {}

  /** Lends memory of at least `bytes` to `body` for as long as that runs. @throws OutOfMemoryError */
  async lend(bytes: number, body: (memory: CpuMemory) => Promise<void>): Promise<void> {
    if (this.#lent === this.places) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#lent++;
    let memory = this.#idle.pop();
    try {
      if (memory !== undefined && memory.bytes < bytes) memory.dispose();
      if (memory === undefined || memory.bytes < bytes) memory = new CpuMemory(this.runtime, bytes);
      await body(memory);
    } catch (error) {
      memory?.dispose();
      memory = undefined;
      throw error;
    } finally {
      if (memory !== undefined) this.#idle.push(memory);
      this.#passOn();
    }
  }

  /** To whoever waits longest; else it counts as returned. */
  #passOn(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next();
    else this.#lent--;
    if (this.#lent > 0) return;
    for (const memory of this.#idle.splice(0)) memory.dispose();
  }
}
