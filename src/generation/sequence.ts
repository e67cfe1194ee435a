/** A sequence's memory: its place in the cache and, for encoder-decoder models, the source it attends to. */
import type { BlockPool } from "../cache/block-pool.js";
import { BlockTable } from "../cache/block-table.js";
import type { LoadedAdapter } from "./loaded-adapter.js";

/** The encoded source that a decoder attends to; shared by forks and beams. */
export class EncodedSource {
  #users = 1;

  constructor(
    readonly table: BlockTable,
    /** The encoder's output [length, hiddenSize]. */
    readonly output: Float32Array,
  ) {}

  get length(): number {
    return this.table.length;
  }

  retain(): EncodedSource {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) this.table.dispose();
  }
}

/** What the last run that a sequence had a part in saw of the cache. */
export interface CacheReads {
  /** Positions that its first token saw, and its last. */
  sees: number;
  end: number;
}

export class Sequence {
  readonly lastRun: CacheReads = { sees: 0, end: 0 };

  constructor(
    readonly table: BlockTable,
    readonly source?: EncodedSource,
    /** What it is run with; what the cache holds of it was made with the same one. */
    public adapter?: LoadedAdapter,
  ) {}

  static empty(pool: BlockPool, contextLength: number, source?: EncodedSource): Sequence {
    return new Sequence(new BlockTable(pool, contextLength), source);
  }

  /** Positions whose keys and values are in the cache. */
  get length(): number {
    return this.table.length;
  }

  fork(): Sequence {
    return new Sequence(this.table.fork(), this.source?.retain(), this.adapter);
  }

  dispose(): void {
    this.table.dispose();
    this.source?.release();
  }
}
