import { TruncatedFileError } from "../core/errors.js";
import { checkRange } from "./source-range.js";
/** Bytes fetched from the blob at a time, so that a large read never holds two copies. */
const sliceBytes = 16 * 2 ** 20;
export class BlobSource {
    blob;
    name;
    constructor(blob, name = blob instanceof File ? blob.name : "blob") {
        this.blob = blob;
        this.name = name;
    }
    get size() {
        return this.blob.size;
    }
    async read(offset, into) {
        checkRange(this, offset, into.length);
        for (let done = 0; done < into.length;) {
            const end = Math.min(done + sliceBytes, into.length);
            const slice = new Uint8Array(await this.blob.slice(offset + done, offset + end).arrayBuffer());
            if (slice.length !== end - done) {
                throw new TruncatedFileError("file", `the range at byte ${offset}`, offset + into.length, this.size, this.name);
            }
            into.set(slice, done);
            done = end;
        }
    }
    async close() { }
}
