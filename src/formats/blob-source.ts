/** A byte source over a Blob or File of the browser: read by slices, never held whole. */
import type { ByteSource } from "../core/checkpoint.js";
import { TruncatedFileError } from "../core/errors.js";
import { checkRange } from "./source-range.js";

/** Bytes fetched from the blob at a time, so that a large read never holds two copies. */
const sliceBytes = 16 * 2 ** 20;

export class BlobSource implements ByteSource {
  constructor(
    private readonly blob: Blob,
    readonly name = blob instanceof File ? blob.name : "blob",
  ) {}

  get size(): number {
    return this.blob.size;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    checkRange(this, offset, into.length);
    for (let done = 0; done < into.length; ) {
      const end = Math.min(done + sliceBytes, into.length);
      const slice = new Uint8Array(await this.blob.slice(offset + done, offset + end).arrayBuffer());
      if (slice.length !== end - done) {
        throw new TruncatedFileError("file", `the range at byte ${offset}`, offset + into.length, this.size, this.name);
      }
      into.set(slice, done);
      done = end;
    }
  }

  async close(): Promise<void> {}
}
