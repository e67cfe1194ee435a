/** Token records in files: written under another name until they are complete, and never used unless they are whole. */
import { createHash, type Hash, randomBytes } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DisposedError, FileNotFoundError, TruncatedFileError } from "../../core/errors.js";
import { IndexBuilder, type NewRecord, type RecordSink, type TokenRecords } from "./records.js";
import {
  decodeIndex,
  digestLength,
  encodeIndex,
  indexRange,
  magic,
  maxDescription,
  readDescription,
  recordsFrom,
  type ShardDescription,
  trailerLength,
} from "./shard-layout.js";

const bufferLength = 2 ** 20;

/** Unfinished files older than this belong to nobody any more. */
const abandonedAfterMs = 3_600_000;

/**
 * Opens the shard at `path` if it was made for `key` and is whole: every byte of it is checked.
 *
 * @returns undefined when there is none, or when it cannot be trusted.
 */
export async function openShard(path: string, key: string, signal?: AbortSignal): Promise<TokenRecords | undefined> {
  const handle = await open(path, "r").catch(() => undefined);
  if (handle === undefined) return undefined;
  let description: ShardDescription | undefined;
  let index: Uint8Array<ArrayBuffer>;
  try {
    description = await checkedDescription(handle, signal);
    if (description?.key !== key) return undefined;
    const [from, to] = indexRange(description);
    index = new Uint8Array(to - from);
    await handle.read(index, 0, index.length, from);
  } finally {
    await handle.close();
  }
  return openRecords(path, description, index);
}

function openRecords(path: string, description: ShardDescription, index: Uint8Array<ArrayBuffer>): TokenRecords {
  let file: number | undefined = openSync(path, "r");
  const readBytes = (offset: number, into: Uint8Array) => {
    if (file === undefined) throw new DisposedError(path);
    // The system's cache answers most reads: waiting for a thread to do so would take longer.
    const got = readSync(file, into, 0, into.length, offset);
    if (got < into.length) throw new TruncatedFileError("token shard", "ids", offset + into.length, offset + got, path);
  };
  const close = async () => {
    if (file !== undefined) closeSync(file);
    file = undefined;
  };
  return recordsFrom(description, decodeIndex(index, description.count), readBytes, close);
}

/** The description of a file whose digest is right. */
async function checkedDescription(handle: FileHandle, signal?: AbortSignal): Promise<ShardDescription | undefined> {
  const { size } = await handle.stat();
  if (size < magic.length + trailerLength) return undefined;
  const trailer = Buffer.alloc(trailerLength);
  await handle.read(trailer, 0, trailerLength, size - trailerLength);
  const length = trailer.readUInt32LE(0);
  if (length > Math.min(maxDescription, size - trailerLength - magic.length)) return undefined;
  const json = Buffer.alloc(length);
  await handle.read(json, 0, length, size - trailerLength - length);
  const description = readDescription(json.toString("utf8"), size);
  if (description === undefined) return undefined;
  const digest = await digestOf(handle, size - digestLength, signal);
  return digest?.equals(trailer.subarray(4)) ? description : undefined;
}

/** SHA-256 of the first `length` bytes; undefined when the file does not begin as a shard does. */
async function digestOf(handle: FileHandle, length: number, signal?: AbortSignal): Promise<Buffer | undefined> {
  const hash = createHash("sha256");
  const buffer = Buffer.alloc(bufferLength);
  for (let at = 0; at < length; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, Math.min(bufferLength, length - at), at);
    if (bytesRead === 0 || (at === 0 && !buffer.subarray(0, magic.length).equals(magic))) return undefined;
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
  return hash.digest();
}

/** Writes records into a shard; they are visible under `path` only when `finish` has come to its end. */
export class ShardWriter implements RecordSink {
  private readonly index = new IndexBuilder();
  private readonly hash: Hash = createHash("sha256");
  private readonly buffer = Buffer.alloc(bufferLength);
  private filled = 0;
  private tokens = 0;

  private constructor(
    private readonly path: string,
    private readonly partial: string,
    private readonly handle: FileHandle,
    private readonly key: string,
    private readonly width: 2 | 4,
  ) {}

  /** @throws FileNotFoundError when the folder cannot be made or written to */
  static async create(path: string, key: string, width: 2 | 4): Promise<ShardWriter> {
    const partial = `${path}.${randomBytes(6).toString("hex")}.partial`;
    let handle: FileHandle;
    try {
      await mkdir(dirname(path), { recursive: true });
      await removeAbandoned(path);
      handle = await open(partial, "wx");
    } catch (error) {
      throw new FileNotFoundError(path, "a file that can be written", (error as NodeJS.ErrnoException).code);
    }
    const writer = new ShardWriter(path, partial, handle, key, width);
    await writer.write(magic);
    return writer;
  }

  async add(record: NewRecord): Promise<void> {
    for (const ids of [record.source, record.target]) {
      const stored = this.width === 2 ? Uint16Array.from(ids) : Uint32Array.from(ids);
      await this.write(new Uint8Array(stored.buffer));
      this.tokens += ids.length;
    }
    this.index.add(record);
  }

  async finish(): Promise<void> {
    const { key, width, tokens, handle } = this;
    const index = this.index.finish();
    const description: ShardDescription = { key, width, count: index.lengths.length, tokens };
    await this.write(new Uint8Array(indexRange(description)[0] - magic.length - tokens * width));
    for (const part of encodeIndex(index)) await this.write(part);
    const json = Buffer.from(JSON.stringify(description));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    await this.write(json);
    await this.write(length);
    await this.flush();
    await handle.write(this.hash.digest());
    await handle.sync();
    await handle.close();
    await rename(this.partial, this.path);
  }

  /** Leaves nothing behind. */
  async abort(): Promise<void> {
    await this.handle.close().catch(() => {});
    await rm(this.partial, { force: true });
  }

  private async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + bufferLength - this.filled);
      this.buffer.set(part, this.filled);
      this.filled += part.length;
      done += part.length;
      if (this.filled === bufferLength) await this.flush();
    }
  }

  private async flush(): Promise<void> {
    const full = this.buffer.subarray(0, this.filled);
    this.hash.update(full);
    for (let done = 0; done < full.length; ) done += (await this.handle.write(full, done)).bytesWritten;
    this.filled = 0;
  }
}

/** Removes what earlier writers of the same shard, killed on the way, have left. */
async function removeAbandoned(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`) || !name.endsWith(".partial")) continue;
    const partial = join(dirname(path), name);
    const entry = await stat(partial).catch(() => undefined);
    if (entry !== undefined && Date.now() - entry.mtimeMs > abandonedAfterMs) await rm(partial, { force: true });
  }
}
