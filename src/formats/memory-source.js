import { checkRange } from "./source-range.js";
export class MemorySource {
    bytes;
    name;
    /** @param bytes - used as it is, not copied. */
    constructor(bytes, name = "memory") {
        this.bytes = bytes;
        this.name = name;
    }
    get size() {
        return this.bytes.length;
    }
    async read(offset, into) {
        checkRange(this, offset, into.length);
        into.set(this.bytes.subarray(offset, offset + into.length));
    }
    async close() { }
}
