/** A byte source over bytes that are already in memory: a fetched file, a test. */
import type { ByteSource } from "../core/checkpoint.js";
import { checkRange } from "./source-range.js";

export class MemorySource implements ByteSource {
  /** @param bytes - used as it is, not copied. */
  constructor(
    private readonly bytes: Uint8Array,
    readonly name = "memory",
  ) {}

  get size(): number {
    return this.bytes.length;
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    checkRange(this, offset, into.length);
    into.set(this.bytes.subarray(offset, offset + into.length));
  }

  async close(): Promise<void> {}
}
