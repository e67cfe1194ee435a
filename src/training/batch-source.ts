/** Batches of a run, the next one made while one is being learned from. */
import type { BatchShape, DataPosition, Dataset, PositionedBatch } from "./data/batch.js";

export class BatchSource {
  readonly #batches: AsyncGenerator<PositionedBatch, never>;
  #next: Promise<IteratorResult<PositionedBatch, never>>;

  constructor(data: Dataset, shape: BatchShape, seed: number, from: DataPosition | undefined) {
    this.#batches = data.batches(shape, { seed, from });
    this.#next = this.#ask();
  }

  async next(): Promise<PositionedBatch> {
    const { value } = await this.#next;
    this.#next = this.#ask();
    return value;
  }

  async close(): Promise<void> {
    await this.#next.catch(() => {});
    await this.#batches.return(undefined as never);
  }

  #ask(): Promise<IteratorResult<PositionedBatch, never>> {
    const next = this.#batches.next();
    // Whoever takes the batch hears of the failure; until then it is nobody's.
    next.catch(() => {});
    return next;
  }
}
