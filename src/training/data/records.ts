/**
 * Tokenized examples: their ids end to end, and an index that says where each begins.
 *
 * A record is the source's ids (none for plain text), then the target's, without special ids of any kind. The index is
 * in memory; the ids may be, or are read in small ranges from a file.
 */
import { assert, OutOfRangeError } from "../../core/errors.js";

/** What is known of each record, one entry per record. */
export interface RecordIndex {
  /** How many ids the record has, source and target. */
  readonly lengths: Uint32Array;
  /** How many of them belong to the source. */
  readonly splits: Uint32Array;
  /** UTF-8 bytes of the target's text. */
  readonly bytes: Uint32Array;
  /** `textHash` of the source, or of plain text: equal texts have equal hashes. */
  readonly hashes: Float64Array;
  /** 1 where the record was set aside before it was tokenized. */
  readonly heldOut: Uint8Array;
}

/** Ids of many records, and the index over them. */
export interface TokenRecords extends RecordIndex {
  readonly count: number;
  /** [count + 1]: where each record begins, in ids; the last is the number of all ids. */
  readonly starts: Float64Array;
  /** Fills `into` with ids from offset `from`. */
  read(from: number, into: Int32Array): void | Promise<void>;
  close(): Promise<void>;
}

/** Offsets of records, from their lengths. */
export function startsOf(lengths: Uint32Array): Float64Array {
  const starts = new Float64Array(lengths.length + 1);
  for (let record = 0; record < lengths.length; record++) starts[record + 1] = starts[record] + lengths[record];
  return starts;
}

/** What is added for one record. */
export interface NewRecord {
  readonly source: ArrayLike<number>;
  readonly target: ArrayLike<number>;
  readonly bytes: number;
  readonly hash: number;
  readonly heldOut: boolean;
}

/** Collects the index, record by record. */
export class IndexBuilder {
  private readonly fields = {
    lengths: [] as number[],
    splits: [] as number[],
    bytes: [] as number[],
    hashes: [] as number[],
    heldOut: [] as number[],
  };

  add({ source, target, bytes, hash, heldOut }: NewRecord): void {
    const { fields } = this;
    fields.lengths.push(source.length + target.length);
    fields.splits.push(source.length);
    fields.bytes.push(bytes);
    fields.hashes.push(hash);
    fields.heldOut.push(heldOut ? 1 : 0);
  }

  finish(): RecordIndex {
    const { fields } = this;
    return {
      lengths: Uint32Array.from(fields.lengths),
      splits: Uint32Array.from(fields.splits),
      bytes: Uint32Array.from(fields.bytes),
      hashes: Float64Array.from(fields.hashes),
      heldOut: Uint8Array.from(fields.heldOut),
    };
  }
}

/** Where tokenized examples go: memory, or a file. */
export interface RecordSink {
  add(record: NewRecord): void | Promise<void>;
}

/** Records in memory, four bytes per id. */
export class MemoryRecords implements RecordSink {
  private ids = new Int32Array(1024);
  private length = 0;
  private readonly index = new IndexBuilder();

  add(record: NewRecord): void {
    this.append(record.source);
    this.append(record.target);
    this.index.add(record);
  }

  finish(): TokenRecords {
    const ids = this.ids.slice(0, this.length);
    const index = this.index.finish();
    return {
      ...index,
      count: index.lengths.length,
      starts: startsOf(index.lengths),
      read: (from, into) => {
        assert(from + into.length <= ids.length, "ids beyond the last record");
        into.set(ids.subarray(from, from + into.length));
      },
      close: async () => {},
    };
  }

  private append(ids: ArrayLike<number>): void {
    const length = this.length + ids.length;
    if (length > 2 ** 29) throw new OutOfRangeError("ids in memory", "at most 2^29; keep them in a file", length);
    if (length > this.ids.length) {
      const larger = new Int32Array(Math.max(length, this.ids.length * 2));
      larger.set(this.ids);
      this.ids = larger;
    }
    this.ids.set(ids, this.length);
    this.length = length;
  }
}
