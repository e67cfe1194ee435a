/** Documents as the model sees them: with the ids that begin and end them, and cut into pieces where they are long. */
import { CounterRandom } from "../../core/random.js";
import type { TokenRecords } from "./records.js";
import { positionOf, streams } from "./shuffle.js";

/** Ids around every document; undefined: none. */
export interface DocumentEnds {
  readonly startId?: number;
  readonly endId?: number;
}

/** Rows `[from, to)` of a document: its ids with those around it, the last of which is only predicted. */
export interface Pieces {
  readonly count: number;
  readonly records: Int32Array;
  readonly from: Uint32Array;
  readonly to: Uint32Array;
}

/** Reads documents of `records`. */
export class TextSequences {
  private readonly before: number;
  private readonly after: number;

  constructor(
    private readonly records: TokenRecords,
    private readonly ends: DocumentEnds,
  ) {
    this.before = ends.startId === undefined ? 0 : 1;
    this.after = ends.endId === undefined ? 0 : 1;
  }

  /** Rows of a document: one less than its ids and those around it. */
  rows(record: number): number {
    return this.records.lengths[record] + this.before + this.after - 1;
  }

  /** Predictions of a document that do not count: those of its prompt. */
  uncounted(record: number): number {
    return Math.max(0, this.records.splits[record] + this.before - 1);
  }

  counted(record: number): number {
    return this.rows(record) - this.uncounted(record);
  }

  /**
   * Pieces of at most `contextLength` rows. Where `cutsFrom` is given, the first piece of a document that must be cut
   * has a random length, so that no pass cuts where another did.
   */
  pieces(chosen: Int32Array, contextLength: number, cutsFrom?: { seed: number; epoch: number }): Pieces {
    const random = cutsFrom === undefined ? undefined : new CounterRandom(cutsFrom.seed, streams.cuts);
    const [records, from, to]: number[][] = [[], [], []];
    for (const record of chosen) {
      const rows = this.rows(record);
      let end = Math.min(rows, contextLength);
      if (rows > contextLength && random !== undefined) {
        end = 1 + Math.floor(random.uniform(positionOf(cutsFrom!.epoch, record)) * contextLength);
      }
      for (let start = 0; start < rows; start = end, end = Math.min(rows, end + contextLength)) {
        if (end <= this.uncounted(record)) continue; // a piece in which nothing counts
        records.push(record);
        from.push(start);
        to.push(end);
      }
    }
    return {
      count: records.length,
      records: Int32Array.from(records),
      from: Uint32Array.from(from),
      to: Uint32Array.from(to),
    };
  }

  /** Ids of a piece: one more than it has rows. */
  async read(record: number, from: number, to: number): Promise<Int32Array> {
    const { records, ends, before } = this;
    const sequence = new Int32Array(to - from + 1);
    const length = records.lengths[record];
    const [first, last] = [Math.max(0, from - before), Math.min(length, to + 1 - before)];
    if (from < before) sequence[0] = ends.startId!;
    if (to >= before + length) sequence[to - from] = ends.endId!;
    await records.read(records.starts[record] + first, sequence.subarray(first + before - from, last + before - from));
    return sequence;
  }
}
