/**
 * One sequence's place in the cache: which block holds which positions, and how many positions are filled.
 *
 * Growing, cutting off, forking: all are work on a small table. A block that two sequences share is copied when one
 * of them is about to write into it.
 */
import { HithertoError, OutOfRangeError } from "../core/errors.js";
/** A sequence has as many positions as the model was loaded for. */
export class ContextFullError extends HithertoError {
    contextLength;
    needed;
    code = "CONTEXT_FULL";
    constructor(contextLength, needed) {
        super(`the sequence needs ${needed} positions, but the context length is ${contextLength}; ` +
            "shorten it, or load the model with a larger `contextLength` if the model allows it");
        this.contextLength = contextLength;
        this.needed = needed;
    }
}
export class BlockTable {
    pool;
    contextLength;
    #blocks = [];
    #length = 0;
    constructor(pool, contextLength) {
        this.pool = pool;
        this.contextLength = contextLength;
    }
    /** Filled positions. */
    get length() {
        return this.#length;
    }
    get blocks() {
        return this.#blocks;
    }
    /** Where position `position` lies in the cache. It must have been reserved. */
    slot(position) {
        const { blockSize } = this.pool;
        return this.#blocks[Math.floor(position / blockSize)] * blockSize + (position % blockSize);
    }
    /**
     * Makes room for `count` more positions and counts them as filled; nothing changes when there is no room.
     * @throws ContextFullError, CacheFullError
     */
    reserve(count) {
        const needed = this.#length + count;
        if (needed > this.contextLength)
            throw new ContextFullError(this.contextLength, needed);
        const { pool } = this;
        const before = this.#blocks.length;
        try {
            while (this.#blocks.length * pool.blockSize < needed)
                this.#blocks.push(pool.take());
            if (count > 0)
                this.#ownTail(Math.floor(this.#length / pool.blockSize), before);
        }
        catch (error) {
            while (this.#blocks.length > before)
                pool.release(this.#blocks.pop());
            throw error;
        }
        this.#length = needed;
    }
    /** Forgets all positions from `length` on. @throws OutOfRangeError */
    truncate(length) {
        if (!(Number.isInteger(length) && length >= 0 && length <= this.#length)) {
            throw new OutOfRangeError("length", `a whole number from 0 to ${this.#length}`, length);
        }
        const kept = Math.ceil(length / this.pool.blockSize);
        while (this.#blocks.length > kept)
            this.pool.release(this.#blocks.pop());
        this.#length = length;
    }
    /** A second sequence with the same past. Costs a table, not a copy. */
    fork() {
        const copy = new BlockTable(this.pool, this.contextLength);
        for (const block of this.#blocks) {
            this.pool.retain(block);
            copy.#blocks.push(block);
        }
        copy.#length = this.#length;
        return copy;
    }
    dispose() {
        this.truncate(0);
    }
    /** Copies the block that is about to be written, where others read it too. */
    #ownTail(index, before) {
        const block = this.#blocks[index];
        if (index >= before || !this.pool.isShared(block))
            return;
        const own = this.pool.take();
        this.pool.copyBlock(block, own);
        this.pool.release(block);
        this.#blocks[index] = own;
    }
}
