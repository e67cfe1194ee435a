/**
 * The blocks of a KV cache: which are free, and how many sequences use each.
 *
 * A block holds a fixed number of positions of every layer. Sequences share blocks until one of them writes.
 * Kwon et al., 2023 (arXiv:2309.06180).
 */
import { assert, HithertoError } from "../core/errors.js";
/** Every block is in use. Dispose sessions, or load the model with a larger cache. */
export class CacheFullError extends HithertoError {
    blocks;
    blockSize;
    code = "CACHE_FULL";
    constructor(blocks, blockSize) {
        super(`the KV cache is full: all ${blocks} blocks of ${blockSize} positions are in use; ` +
            "dispose sessions, or load the model with a larger `cache.positions`");
        this.blocks = blocks;
        this.blockSize = blockSize;
    }
}
export class BlockPool {
    size;
    blockSize;
    copyBlock;
    #references;
    #freed = [];
    #fresh = 0;
    /**
     * @param size - number of blocks
     * @param blockSize - positions in one
     * @param copyBlock - copies the contents of a block, all layers
     */
    constructor(size, blockSize, copyBlock) {
        this.size = size;
        this.blockSize = blockSize;
        this.copyBlock = copyBlock;
        this.#references = new Uint32Array(size);
    }
    get used() {
        return this.#fresh - this.#freed.length;
    }
    /** A block for the caller alone. Blocks that were used before come first, so untouched memory stays untouched. */
    take() {
        const block = this.#freed.pop() ?? (this.#fresh < this.size ? this.#fresh++ : undefined);
        if (block === undefined)
            throw new CacheFullError(this.size, this.blockSize);
        this.#references[block] = 1;
        return block;
    }
    retain(block) {
        assert(this.#references[block] > 0, `block ${block} is free`);
        this.#references[block]++;
    }
    release(block) {
        assert(this.#references[block] > 0, `block ${block} is free already`);
        if (--this.#references[block] === 0)
            this.#freed.push(block);
    }
    isShared(block) {
        return this.#references[block] > 1;
    }
}
