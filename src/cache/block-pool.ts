/**
 * The blocks of a KV cache: which are free, and how many sequences use each.
 *
 * A block holds a fixed number of positions of every layer. Sequences share blocks until one of them writes.
 * Kwon et al., 2023 (arXiv:2309.06180).
 */
import { assert, HithertoError } from "../core/errors.js";

/** Every block is in use. Dispose sessions, or load the model with a larger cache. */
export class CacheFullError extends HithertoError {
  readonly code = "CACHE_FULL";

  constructor(
    readonly blocks: number,
    readonly blockSize: number,
  ) {
    super(
      `the KV cache is full: all ${blocks} blocks of ${blockSize} positions are in use; ` +
        "dispose sessions, or load the model with a larger `cache.positions`",
    );
  }
}

export class BlockPool {
  readonly #references: Uint32Array;
  readonly #freed: number[] = [];
  #fresh = 0;
  /** Blocks of `#kept` that nobody else uses. */
  #idle = 0;
  readonly #kept: Uint8Array;
  /** Frees a block that was kept for later, where there is one. Called when no other is left. */
  evict: (() => boolean) | undefined;

  /**
   * @param size - number of blocks
   * @param blockSize - positions in one
   * @param copyBlock - copies the contents of a block, all layers
   */
  constructor(
    readonly size: number,
    readonly blockSize: number,
    readonly copyBlock: (from: number, to: number) => void,
  ) {
    this.#references = new Uint32Array(size);
    this.#kept = new Uint8Array(size);
  }

  /** Blocks that sequences use. Those that are only kept for later do not count: they are had back when needed. */
  get used(): number {
    return this.#fresh - this.#freed.length - this.#idle;
  }

  /** A block for the caller alone. Blocks that were used before come first, so untouched memory stays untouched. */
  take(): number {
    let block = this.#freed.pop() ?? (this.#fresh < this.size ? this.#fresh++ : undefined);
    if (block === undefined && this.evict?.()) block = this.#freed.pop();
    if (block === undefined) throw new CacheFullError(this.size, this.blockSize);
    this.#references[block] = 1;
    return block;
  }

  retain(block: number): void {
    assert(this.#references[block]! > 0, `block ${block} is free`);
    if (this.#references[block]!++ === 1) this.#idle -= this.#kept[block]!;
  }

  release(block: number): void {
    assert(this.#references[block]! > 0, `block ${block} is free already`);
    if (--this.#references[block]! === 0) this.#freed.push(block);
    else if (this.#references[block] === 1) this.#idle += this.#kept[block]!;
  }

  /** Keeps a block that is in use for later, also when its users have let it go. */
  keep(block: number): void {
    assert(this.#kept[block] === 0, `block ${block} is kept already`);
    this.retain(block);
    this.#kept[block] = 1;
  }

  /** The opposite of `keep`. */
  letGo(block: number): void {
    assert(this.#kept[block] === 1, `block ${block} is not kept`);
    if (this.#references[block] === 1) this.#idle--;
    this.#kept[block] = 0;
    this.release(block);
  }

  isShared(block: number): boolean {
    return this.#references[block]! > 1;
  }
}
