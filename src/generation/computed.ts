/**
 * What has been computed of a timeline: its place in the cache, the logits after its last token, and what was run ahead
 * of it. Knows token ids only as it is given them, and runs those that it has not.
 */
import { InvalidValueError } from "../core/errors.js";
import type { ShiftPlan } from "./context-shift.js";
import type { Engine, PrefixSharing } from "./engine.js";
import type { StepInspection } from "./inspect.js";
import type { LoadedAdapter } from "./loaded-adapter.js";
import { discardPositions } from "./move-positions.js";
import { NextLogits } from "./next-logits.js";
import { TokenScorer } from "./scores.js";
import type { Sequence } from "./sequence.js";
import type { ReadOptions } from "./session-options.js";
import { Ahead } from "./speculation/ahead.js";

type Ids = readonly number[];

export class Computed {
  readonly ahead = new Ahead();
  #next: NextLogits | undefined;

  /** @param next - logits that are known, to be its own */
  constructor(
    readonly engine: Engine,
    readonly sequence: Sequence,
    readonly sharing: PrefixSharing | undefined,
    next?: NextLogits,
  ) {
    this.#next = next;
  }

  /** Logits after some token, if there are any. */
  get next(): NextLogits | undefined {
    return this.#next;
  }

  /** The logits; those after `length` tokens, where they are known or were computed ahead. */
  nextAt(length: number): NextLogits {
    this.#next ??= new NextLogits(this.engine.network.config.vocabSize);
    const row = this.#next.length === length ? undefined : this.ahead.rowAt(length);
    if (row !== undefined) this.#next.set(row, length);
    return this.#next;
  }

  /**
   * Logits after the last of the tokens. Runs what has not been run yet.
   * @param alternatives - for `how.onScore`
   * @param look - what is inspected on the way; the last token is run again for it, where all have been
   */
  async run(ids: Ids, how: ReadOptions, alternatives: number, look?: StepInspection): Promise<NextLogits> {
    if (ids.length === 0) throw new InvalidValueError("session", "a sequence of at least one token", "an empty one");
    const next = this.nextAt(ids.length);
    if (next.length === ids.length && look === undefined) return next;
    const from = this.#begin(ids, next, how);
    const rest = from === 0 ? ids : ids.slice(from);
    const scorer = how.onScore && new TokenScorer(ids, alternatives, how.onScore);
    if (next.length === from && from > 0) scorer?.scoreNext(next);
    next.length = -1;
    const part = { sequence: this.sequence, ids: rest, outputs: scorer === undefined ? "last" : "all" } as const;
    await this.engine.advance([part], {
      signal: how.signal,
      onProgress: how.onProgress,
      ...look?.advanceOptions(ids.length, rest.length),
      onOutput: (row) => {
        scorer?.score(from + row.index + 1, row);
        if (row.index + 1 === rest.length) next.set(row, ids.length);
      },
    });
    if (rest.length > 1) this.engine.remember(this.sequence, ids, this.sharing);
    return next;
  }

  /** Cuts the sequence to where it is to be run from, or lets it begin with what others ran before. */
  #begin(ids: Ids, next: NextLogits, { onScore }: ReadOptions): number {
    const { sequence } = this;
    this.ahead.end(ids.length, sequence);
    // The last token is run again where it was run before without its logits being kept: same bits.
    let from = Math.min(sequence.length, ids.length - 1);
    if (onScore !== undefined && next.length !== from) from = Math.max(0, from - 1);
    if (sequence.length > from) sequence.table.truncate(from);
    if (onScore === undefined) this.engine.adopt(sequence, ids, this.sharing);
    return sequence.length;
  }

  /** The same where nothing has to be waited for: one token is to be run, and the engine is free. Else undefined. */
  runNow(ids: Ids): NextLogits | undefined {
    const { length } = ids;
    const next = this.nextAt(length);
    if (next.length === length) return length > 0 ? next : undefined;
    if (this.sequence.length !== length - 1) return undefined;
    const run = this.engine.advanceNow(this.sequence, ids[length - 1]!);
    if (run === undefined) return undefined;
    next.set(run, length);
    return next;
  }

  /** Forgets what was computed of the tokens from `length` on. */
  forget(length: number): void {
    this.ahead.end(length, this.sequence);
    if (this.sequence.length > length) this.sequence.table.truncate(length);
    if (this.#next !== undefined && this.#next.length > length) this.#next.length = -1;
  }

  /** Forgets everything, and goes on with another adapter. @throws InvalidValueError for one of another model */
  begin(adapter: LoadedAdapter | undefined): void {
    if (adapter === this.sequence.adapter) return;
    if (adapter !== undefined && adapter.network !== this.engine.network) {
      throw new InvalidValueError("adapter", "one that was loaded beside this model", adapter.path);
    }
    this.forget(0);
    this.sequence.adapter = adapter;
  }

  /**
   * Takes positions out, as a shift of `length` tokens asks.
   * @throws CacheFullError, UnsupportedError; nothing has changed then
   */
  async shift({ keep, discard, method }: ShiftPlan, length: number): Promise<void> {
    this.ahead.end(length, this.sequence);
    const { network } = this.engine;
    const { table } = this.sequence;
    await this.engine.between(() => {
      if (method === "rotate") discardPositions(network, table, keep, discard);
      else table.truncate(Math.min(table.length, keep));
    });
    if (this.#next !== undefined) this.#next.length = -1;
  }

  /** Frees it; what was run of `ids` is left to others. */
  release(ids: Ids): void {
    this.ahead.dispose();
    this.engine.remember(this.sequence, ids, this.sharing);
    this.sequence.dispose();
  }
}
