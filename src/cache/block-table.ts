/**
 * One sequence's place in the cache: which block holds which positions, and how many positions are filled.
 *
 * Growing, cutting off, forking: all are work on a small table. A block that two sequences share is copied when one
 * of them is about to write into it.
 */
import { assert, HithertoError, OutOfRangeError } from "../core/errors.js";
import type { BlockPool } from "./block-pool.js";

/** A sequence has as many positions as the model was loaded for. */
export class ContextFullError extends HithertoError {
  readonly code = "CONTEXT_FULL";

  constructor(
    readonly contextLength: number,
    readonly needed: number,
  ) {
    super(
      `the sequence needs ${needed} positions, but the context length is ${contextLength}; ` +
        "shorten it, or load the model with a larger `contextLength` if the model allows it",
    );
  }
}

export class BlockTable {
  readonly #blocks: number[] = [];
  #length = 0;
  /**
   * Positions, from the first on, that hold to the bit what running the tokens gives. Infinite unless a shift has
   * moved some.
   */
  exactLength = Number.POSITIVE_INFINITY;

  constructor(
    readonly pool: BlockPool,
    readonly contextLength: number,
  ) {}

  /** Filled positions. */
  get length(): number {
    return this.#length;
  }

  get blocks(): readonly number[] {
    return this.#blocks;
  }

  /** Where position `position` lies in the cache. It must have been reserved. */
  slot(position: number): number {
    const { blockSize } = this.pool;
    return this.#blocks[Math.floor(position / blockSize)]! * blockSize + (position % blockSize);
  }

  /**
   * Makes room for `count` more positions and counts them as filled; nothing changes when there is no room.
   * @throws ContextFullError, CacheFullError
   */
  reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.contextLength) throw new ContextFullError(this.contextLength, needed);
    const { pool } = this;
    const before = this.#blocks.length;
    try {
      while (this.#blocks.length * pool.blockSize < needed) this.#blocks.push(pool.take());
      if (count > 0) this.#ownTail(Math.floor(this.#length / pool.blockSize), before);
    } catch (error) {
      while (this.#blocks.length > before) pool.release(this.#blocks.pop()!);
      throw error;
    }
    this.#length = needed;
  }

  /** Blocks that `reserve(count)` would take from the pool. */
  blocksNeeded(count: number): number {
    const { blockSize } = this.pool;
    const added = Math.ceil((this.#length + count) / blockSize) - this.#blocks.length;
    const tail = this.#blocks[Math.floor(this.#length / blockSize)];
    return added + (count > 0 && tail !== undefined && this.pool.isShared(tail) ? 1 : 0);
  }

  /** Forgets all positions from `length` on. @throws OutOfRangeError */
  truncate(length: number): void {
    if (!(Number.isInteger(length) && length >= 0 && length <= this.#length)) {
      throw new OutOfRangeError("length", `a whole number from 0 to ${this.#length}`, length);
    }
    const kept = Math.ceil(length / this.pool.blockSize);
    while (this.#blocks.length > kept) this.pool.release(this.#blocks.pop()!);
    this.#length = length;
    if (length <= this.exactLength) this.exactLength = Number.POSITIVE_INFINITY;
  }

  /** Goes on with a full block that others filled with what stands at these positions. @throws ContextFullError */
  adoptBlock(block: number): void {
    const { blockSize } = this.pool;
    assert(this.#length === this.#blocks.length * blockSize, "a block was adopted inside another");
    if (this.#length + blockSize > this.contextLength)
      throw new ContextFullError(this.contextLength, this.#length + blockSize);
    this.pool.retain(block);
    this.#blocks.push(block);
    this.#length += blockSize;
  }

  /**
   * Makes the blocks from `first` to `end` this sequence's own, so that filled positions can be written; nothing changes
   * when there is no room. @throws CacheFullError
   */
  own(first: number, end: number): void {
    const copies = new Map<number, number>();
    try {
      for (let i = first; i < end; i++) if (this.pool.isShared(this.#blocks[i]!)) copies.set(i, this.pool.take());
    } catch (error) {
      for (const copy of copies.values()) this.pool.release(copy);
      throw error;
    }
    for (const [i, copy] of copies) this.#replace(i, copy);
  }

  /** A second sequence with the same past. Costs a table, not a copy. */
  fork(): BlockTable {
    const copy = new BlockTable(this.pool, this.contextLength);
    for (const block of this.#blocks) {
      this.pool.retain(block);
      copy.#blocks.push(block);
    }
    copy.#length = this.#length;
    copy.exactLength = this.exactLength;
    return copy;
  }

  /** Lets go of its own blocks and takes over those of `other`, a table of the same pool, which is empty afterwards. */
  adopt(other: BlockTable): void {
    this.truncate(0);
    this.#blocks.push(...other.#blocks.splice(0));
    this.#length = other.#length;
    this.exactLength = other.exactLength;
    other.#length = 0;
  }

  dispose(): void {
    this.truncate(0);
  }

  /** Copies the block that is about to be written, where others read it too. */
  #ownTail(index: number, before: number): void {
    const block = this.#blocks[index]!;
    if (index >= before || !this.pool.isShared(block)) return;
    this.#replace(index, this.pool.take());
  }

  #replace(index: number, copy: number): void {
    const block = this.#blocks[index]!;
    this.pool.copyBlock(block, copy);
    this.pool.release(block);
    this.#blocks[index] = copy;
  }
}
