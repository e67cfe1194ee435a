import { BlockTable } from "../cache/block-table.js";
/** The encoded source that a decoder attends to; shared by forks and beams. */
export class EncodedSource {
    table;
    output;
    #users = 1;
    constructor(table, 
    /** The encoder's output [length, hiddenSize]. */
    output) {
        this.table = table;
        this.output = output;
    }
    get length() {
        return this.table.length;
    }
    retain() {
        this.#users++;
        return this;
    }
    release() {
        if (--this.#users === 0)
            this.table.dispose();
    }
}
export class Sequence {
    table;
    source;
    constructor(table, source) {
        this.table = table;
        this.source = source;
    }
    static empty(pool, contextLength, source) {
        return new Sequence(new BlockTable(pool, contextLength), source);
    }
    /** Positions whose keys and values are in the cache. */
    get length() {
        return this.table.length;
    }
    fork() {
        return new Sequence(this.table.fork(), this.source?.retain());
    }
    dispose() {
        this.table.dispose();
        this.source?.release();
    }
}
