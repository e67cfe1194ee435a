/**
 * Texts for decoder-only models. Documents lie one after another in the rows of a batch, whole where they fit into the
 * context and cut where they do not; none sees another, and each one's positions count from its beginning.
 */
import { OutOfRangeError } from "../../core/errors.js";
import type { Batch, BatchOrder, BatchShape, Dataset, PositionedBatch } from "./batch.js";
import { BatchBuilder } from "./batch-builder.js";
import { type DatasetParts, DividedDataset, sum } from "./divided-dataset.js";
import { type BatchPlan, fillBatches } from "./fill.js";
import { checkShape, endlessly, type FullShape, once, type Pass } from "./passes.js";
import { shuffle, streams, upTo } from "./shuffle.js";
import { type DocumentEnds, type Pieces, TextSequences } from "./text-sequences.js";

export class TextDataset extends DividedDataset implements Dataset {
  readonly kind = "text";
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  private readonly train: TextSequences;
  private readonly test: TextSequences;

  constructor(parts: DatasetParts, ends: DocumentEnds) {
    super(parts);
    const { records, division } = parts;
    this.train = new TextSequences(records, ends);
    this.test = new TextSequences(division.heldOutRecords, ends);
    this.trainTokens = sum(division.train, (record) => this.train.counted(record));
    this.heldOutTokens = sum(division.heldOut, (record) => this.test.counted(record));
  }

  batches(shape: BatchShape, order: BatchOrder): AsyncGenerator<PositionedBatch, never> {
    const full = checkShape(shape);
    return endlessly(order, (epoch) => this.pass(full, order.seed, epoch));
  }

  batchesPerEpoch(shape: BatchShape, seed: number): number {
    return this.pass(checkShape(shape), seed, 0).batches;
  }

  heldOut(shape: BatchShape): AsyncGenerator<Batch, void> {
    const { tokens, contextLength } = checkShape(shape);
    const pieces = this.test.pieces(this.parts.division.heldOut, contextLength);
    return once(passOf(this.test, pieces, planOf(pieces, upTo(pieces.count), tokens, 1)));
  }

  private pass({ tokens, contextLength }: FullShape, seed: number, epoch: number): Pass {
    const pieces = this.train.pieces(this.parts.division.train, contextLength, { seed, epoch });
    const order = shuffle(upTo(pieces.count), seed, streams.order, epoch);
    return passOf(this.train, pieces, planOf(pieces, order, tokens));
  }
}

function planOf(pieces: Pieces, order: Int32Array, tokens: number, ahead?: number): BatchPlan {
  const rows = (piece: number) => pieces.to[piece] - pieces.from[piece];
  return fillBatches(order, { rows: tokens, sourceRows: 0 }, rows, () => 0, ahead);
}

function passOf(sequences: TextSequences, pieces: Pieces, { sequences: order, bounds }: BatchPlan): Pass {
  const batch = async (index: number): Promise<Batch> => {
    const members = order.subarray(bounds[index], bounds[index + 1]);
    const builder = new BatchBuilder(sum(members, (piece) => pieces.to[piece] - pieces.from[piece]));
    for (const piece of members) {
      const [record, from, to] = [pieces.records[piece], pieces.from[piece], pieces.to[piece]];
      builder.add(await sequences.read(record, from, to), Math.max(0, sequences.uncounted(record) - from));
    }
    return builder.finish();
  };
  return { batches: bounds.length - 1, batch };
}

/** @throws OutOfRangeError unless an id, where there is one, is in the vocabulary */
export function checkSpecialIds(ids: Readonly<Record<string, number | undefined>>, vocabSize: number): void {
  for (const [name, id] of Object.entries(ids)) {
    if (id === undefined || (Number.isInteger(id) && id >= 0 && id < vocabSize)) continue;
    throw new OutOfRangeError(name, `an id in the vocabulary of ${vocabSize}`, id);
  }
}
