/**
 * What a checkpoint is to the rest of the package, whatever file it came from: named tensors that can be
 * read piece by piece. Formats produce these; models consume them. Nothing here reads a file.
 */
import type { StorageType } from "./storage.js";

/** A source of bytes with random access: a file, a Blob, or memory. */
export interface ByteSource {
  /** For messages: a path or a name. */
  readonly name: string;
  /** Total size in bytes. */
  readonly size: number;
  /**
   * Fills `into` from `offset`. Always all of it.
   * @throws TruncatedFileError when the source ends first.
   */
  read(offset: number, into: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** One tensor in a checkpoint: row-major, `shape[0]` outermost (PyTorch order, also for GGUF). */
export interface StoredTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly storage: StorageType;
  /** Total bytes = storageBytes(storage, product of shape). */
  readonly byteLength: number;
  /** Reads raw bytes `[byteOffset, byteOffset + into.length)` of the tensor's data, in its storage type. */
  read(byteOffset: number, into: Uint8Array): Promise<void>;
}
