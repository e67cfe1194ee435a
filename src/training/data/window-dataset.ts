/**
 * One long text for decoder-only models, without boundaries: a batch has windows that begin at random places, as
 * nanoGPT trains. Documents are joined, with the end id between them where there is one.
 */
import { InvalidValueError } from "../../core/errors.js";
import { CounterRandom } from "../../core/random.js";
import type { Batch, BatchOrder, BatchShape, Dataset, PositionedBatch } from "./batch.js";
import { BatchBuilder } from "./batch-builder.js";
import { type DatasetParts, DividedDataset } from "./divided-dataset.js";
import { checkShape, endlessly, type FullShape, once, type Pass } from "./passes.js";
import type { TokenRecords } from "./records.js";
import { positionOf, streams } from "./shuffle.js";

export class WindowDataset extends DividedDataset implements Dataset {
  readonly kind = "text";
  readonly trainTokens: number;
  readonly heldOutTokens: number;
  private readonly train: JoinedText;
  private readonly test: JoinedText;

  /** @param endId - between documents; undefined: nothing */
  constructor(parts: DatasetParts, endId: number | undefined) {
    super(parts);
    const { records, division } = parts;
    this.train = new JoinedText(records, division.train, endId);
    this.test = new JoinedText(division.heldOutRecords, division.heldOut, endId);
    this.trainTokens = this.train.length - 1;
    this.heldOutTokens = Math.max(0, this.test.length - 1);
  }

  batches(shape: BatchShape, order: BatchOrder): AsyncGenerator<PositionedBatch, never> {
    const full = this.check(shape);
    return endlessly(order, (epoch) => this.pass(full, order.seed, epoch));
  }

  batchesPerEpoch(shape: BatchShape, _seed: number): number {
    return this.passLength(this.check(shape));
  }

  /** Windows of `contextLength` rows side by side; the last has what is left. */
  heldOut(shape: BatchShape): AsyncGenerator<Batch, void> {
    const { tokens, contextLength } = checkShape(shape);
    const perBatch = Math.floor(tokens / contextLength) * contextLength;
    const rows = this.heldOutTokens;
    const batch = (index: number) => {
      const lengths: [number, number][] = [];
      const last = Math.min(rows, (index + 1) * perBatch);
      for (let at = index * perBatch; at < last; at += contextLength) {
        lengths.push([at, Math.min(contextLength, last - at)]);
      }
      return this.test.batch(lengths);
    };
    return once({ batches: Math.ceil(rows / perBatch), batch });
  }

  private check(shape: BatchShape): FullShape {
    const full = checkShape(shape);
    if (this.train.length > full.contextLength) return full;
    throw new InvalidValueError("data", `more than contextLength ${full.contextLength} ids`, `${this.train.length}`);
  }

  /** A pass has as many rows as the text, as nearly as batches allow. */
  private passLength({ tokens, contextLength }: FullShape): number {
    const perBatch = Math.floor(tokens / contextLength) * contextLength;
    return Math.max(1, Math.floor(this.trainTokens / perBatch));
  }

  private pass(shape: FullShape, seed: number, epoch: number): Pass {
    const { tokens, contextLength } = shape;
    const perBatch = Math.floor(tokens / contextLength);
    const random = new CounterRandom(seed, streams.windows);
    const places = this.train.length - contextLength;
    const batch = (index: number) =>
      this.train.batch(
        Array.from({ length: perBatch }, (_, window): [number, number] => {
          const draw = random.uniform(positionOf(epoch, index * perBatch + window));
          return [Math.floor(draw * places), contextLength];
        }),
      );
    return { batches: this.passLength(shape), batch };
  }
}

/** The records of one side as one text. */
class JoinedText {
  readonly length: number;
  /** Where each document begins in the joined text. */
  private readonly starts: Float64Array;
  private readonly gap: number;

  constructor(
    private readonly records: TokenRecords,
    private readonly chosen: Int32Array,
    private readonly endId: number | undefined,
  ) {
    this.gap = endId === undefined ? 0 : 1;
    this.starts = new Float64Array(chosen.length + 1);
    chosen.forEach((record, index) => {
      this.starts[index + 1] = this.starts[index] + records.lengths[record] + this.gap;
    });
    this.length = this.starts[chosen.length];
  }

  async batch(windows: readonly (readonly [from: number, rows: number])[]): Promise<Batch> {
    const builder = new BatchBuilder(windows.reduce((rows, [, length]) => rows + length, 0));
    for (const [from, rows] of windows) builder.add(await this.read(from, rows + 1), 0);
    return builder.finish();
  }

  private async read(from: number, length: number): Promise<Int32Array> {
    const { records, chosen, starts, gap } = this;
    const ids = new Int32Array(length);
    for (let document = this.documentAt(from), done = 0; done < length; document++) {
      const skipped = from + done - starts[document];
      const own = Math.min(length - done, starts[document + 1] - gap - starts[document] - skipped);
      if (own > 0) {
        await records.read(records.starts[chosen[document]] + skipped, ids.subarray(done, done + own));
        done += own;
      }
      if (gap > 0 && done < length) ids[done++] = this.endId!;
    }
    return ids;
  }

  /** The last document that begins at or before `offset`. */
  private documentAt(offset: number): number {
    let [low, high] = [0, this.chosen.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
