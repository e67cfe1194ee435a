/** Writes sequences into the rows of a batch, one after another. */
import { assert } from "../../core/errors.js";
import type { Batch, SequenceRows } from "./batch.js";

/** Rows of one side. */
class RowsBuilder implements SequenceRows {
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly first: Int32Array;
  readonly end: Int32Array;
  /** Rows written so far. */
  count = 0;

  constructor(readonly capacity: number) {
    this.ids = new Int32Array(capacity);
    this.positions = new Int32Array(capacity);
    this.first = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
  }

  /** Adds one sequence; `causal`: each row attends to itself and what is before it, otherwise to all of the sequence. */
  add(ids: Int32Array, causal: boolean): void {
    const start = this.count;
    assert(start + ids.length <= this.capacity, "more rows than the batch was made for");
    this.ids.set(ids, start);
    for (let i = 0; i < ids.length; i++) {
      this.positions[start + i] = i;
      this.first[start + i] = start;
      this.end[start + i] = causal ? start + i + 1 : start + ids.length;
    }
    this.count += ids.length;
  }
}

/** Collects one batch, whose size is known ahead. */
export class BatchBuilder {
  private readonly rows: RowsBuilder;
  private readonly source?: RowsBuilder;
  private readonly targets: Int32Array;
  private readonly cross?: { readonly first: Int32Array; readonly end: Int32Array };
  private counted = 0;

  /** @param sourceRows - for pairs; texts have no source */
  constructor(rows: number, sourceRows?: number) {
    this.rows = new RowsBuilder(rows);
    this.targets = new Int32Array(rows).fill(-1);
    if (sourceRows === undefined) return;
    this.source = new RowsBuilder(sourceRows);
    this.cross = { first: new Int32Array(rows), end: new Int32Array(rows) };
  }

  /**
   * Adds a sequence that is shown from its first id to the last but one, and predicted from its second to its last.
   *
   * @param uncounted - so many of the first predictions do not count
   * @param source - what an encoder reads for it
   */
  add(sequence: Int32Array, uncounted: number, source?: Int32Array): void {
    const { rows, targets } = this;
    const start = rows.count;
    const length = sequence.length - 1;
    rows.add(sequence.subarray(0, length), true);
    const skipped = Math.min(uncounted, length);
    targets.set(sequence.subarray(1 + skipped), start + skipped);
    this.counted += length - skipped;
    if (source !== undefined) this.addSource(source, start);
  }

  private addSource(source: Int32Array, row: number): void {
    assert(this.source !== undefined && this.cross !== undefined, "a source in a batch of texts");
    const first = this.source.count;
    this.source.add(source, false);
    this.cross.first.fill(first, row, this.rows.count);
    this.cross.end.fill(this.source.count, row, this.rows.count);
  }

  finish(): Batch {
    const { rows, source, targets, cross, counted } = this;
    assert(rows.count === rows.capacity && source?.count === source?.capacity, "rows of a batch are left empty");
    return { ...plain(rows), targets, counted, ...(source === undefined ? {} : { source: plain(source), cross }) };
  }
}

function plain({ ids, positions, first, end }: SequenceRows): SequenceRows {
  return { ids, positions, first, end };
}
