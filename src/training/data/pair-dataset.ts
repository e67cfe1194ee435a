/**
 * Pairs for encoder-decoder models: the encoder reads the source, the decoder learns the target.
 *
 * A batch has as many whole pairs as fit into its rows of each side; pairs of similar length share one.
 */
import { InvalidValueError } from "../../core/errors.js";
import type { Batch, BatchOrder, BatchShape, Dataset, PositionedBatch } from "./batch.js";
import { BatchBuilder } from "./batch-builder.js";
import { type DatasetParts, DividedDataset, sum } from "./divided-dataset.js";
import { type BatchPlan, fillBatches, reorderBatches } from "./fill.js";
import { checkShape, endlessly, type FullShape, once, type Pass } from "./passes.js";
import type { TokenRecords } from "./records.js";
import { shuffle, streams, upTo } from "./shuffle.js";

/** Ids around both sides of every pair. */
export interface PairEnds {
  /** What the decoder begins with. */
  readonly startId: number;
  /** Predicted after the last id of a target. */
  readonly endId: number;
  /** Ends every source; undefined: nothing does. */
  readonly sourceEndId?: number;
}

/** Pairs that are sorted by length together, unless asked otherwise. */
export const defaultBucket = 1024;

export class PairDataset extends DividedDataset implements Dataset {
  readonly kind = "pairs";
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  private readonly train: PairSequences;
  private readonly test: PairSequences;

  /** @param bucket - so many pairs, in random order, are sorted by length before they are put into batches; 1: none */
  constructor(
    parts: DatasetParts,
    ends: PairEnds,
    private readonly bucket = defaultBucket,
  ) {
    super(parts);
    const { records, division } = parts;
    this.train = new PairSequences(records, ends);
    this.test = new PairSequences(division.heldOutRecords, ends);
    this.trainTokens = sum(division.train, this.train.rows);
    this.heldOutTokens = sum(division.heldOut, this.test.rows);
  }

  batches(shape: BatchShape, order: BatchOrder): AsyncGenerator<PositionedBatch, never> {
    const full = this.check(shape);
    return endlessly(order, (epoch) => this.train.pass(this.plan(full, order.seed, epoch)));
  }

  batchesPerEpoch(shape: BatchShape, seed: number): number {
    return this.plan(this.check(shape), seed, 0).bounds.length - 1;
  }

  heldOut(shape: BatchShape): AsyncGenerator<Batch, void> {
    const full = checkShape(shape);
    const { heldOut } = this.parts.division;
    this.test.check(heldOut, full);
    const most = { rows: full.tokens, sourceRows: full.sourceTokens };
    return once(this.test.pass(fillBatches(heldOut, most, this.test.rows, this.test.sourceRows, 1)));
  }

  private check(shape: BatchShape): FullShape {
    const full = checkShape(shape);
    this.train.check(this.parts.division.train, full);
    return full;
  }

  private plan({ tokens, sourceTokens }: FullShape, seed: number, epoch: number): BatchPlan {
    const { rows, sourceRows } = this.train;
    const order = shuffle(this.parts.division.train.slice(), seed, streams.order, epoch);
    for (let start = 0; start < order.length && this.bucket > 1; start += this.bucket) {
      // Sorting is stable: pairs of one length stay in their random order.
      order.subarray(start, start + this.bucket).sort((a, b) => rows(a) - rows(b) || sourceRows(a) - sourceRows(b));
    }
    const plan = fillBatches(order, { rows: tokens, sourceRows: sourceTokens }, rows, sourceRows);
    return reorderBatches(plan, shuffle(upTo(plan.bounds.length - 1), seed, streams.batches, epoch));
  }
}

/** Reads pairs of `records`. */
class PairSequences {
  private readonly sourceEnd: number;

  constructor(
    private readonly records: TokenRecords,
    private readonly ends: PairEnds,
  ) {
    this.sourceEnd = ends.sourceEndId === undefined ? 0 : 1;
  }

  /** Target rows of a pair; each predicts one id, the last one the end id. */
  readonly rows = (record: number): number => this.records.lengths[record] - this.records.splits[record] + 1;

  readonly sourceRows = (record: number): number => this.records.splits[record] + this.sourceEnd;

  /** @throws InvalidValueError when a pair does not fit into a batch or into the context */
  check(chosen: Int32Array, { tokens, sourceTokens, contextLength }: FullShape): void {
    const [rows, sourceRows] = [Math.min(tokens, contextLength), Math.min(sourceTokens, contextLength)];
    const tooLong = sum(chosen, (record) => (this.rows(record) > rows || this.sourceRows(record) > sourceRows ? 1 : 0));
    if (tooLong === 0) return;
    const allowed = `no longer than ${rows} target and ${sourceRows} source ids, special ones included (set maxLength)`;
    throw new InvalidValueError("pairs", allowed, `${tooLong} longer ones`);
  }

  pass({ sequences, bounds }: BatchPlan): Pass {
    const batch = (index: number) => this.batch(sequences.subarray(bounds[index], bounds[index + 1]));
    return { batches: bounds.length - 1, batch };
  }

  private async batch(members: Int32Array): Promise<Batch> {
    const { records, ends } = this;
    const builder = new BatchBuilder(sum(members, this.rows), sum(members, this.sourceRows));
    for (const record of members) {
      const split = records.splits[record];
      const ids = new Int32Array(records.lengths[record]);
      await records.read(records.starts[record], ids);
      const source = new Int32Array(split + this.sourceEnd).fill(ends.sourceEndId ?? 0);
      source.set(ids.subarray(0, split));
      const target = new Int32Array(this.rows(record) + 1).fill(ends.endId);
      target[0] = ends.startId;
      target.set(ids.subarray(split), 1);
      builder.add(target, 0, source);
    }
    return builder.finish();
  }
}
