/** A byte source over a file of the system: positional reads straight into the caller's memory. */
import { type FileHandle, open } from "node:fs/promises";
import type { ByteSource } from "../core/checkpoint.js";
import { DisposedError, FileNotFoundError, InvalidValueError, TruncatedFileError } from "../core/errors.js";
import { checkRange } from "./source-range.js";

/** The system reads less than 2 GiB at once. */
const mostBytesPerRead = 2 ** 30;

/**
 * Opens a regular file for reading. The caller closes it.
 *
 * @throws FileNotFoundError when there is none or it may not be read, InvalidValueError when it is no regular file.
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  const handle = await openExisting(path);
  try {
    const stat = await handle.stat();
    if (!stat.isFile())
      throw new InvalidValueError(path, "a regular file", stat.isDirectory() ? "a folder" : "a device");
    return new FileSource(handle, path, stat.size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openExisting(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw new FileNotFoundError(path, "a readable file", (error as NodeJS.ErrnoException).code);
  }
}

class FileSource implements ByteSource {
  private closed = false;

  constructor(
    private readonly handle: FileHandle,
    readonly name: string,
    readonly size: number,
  ) {}

  async read(offset: number, into: Uint8Array): Promise<void> {
    if (this.closed) throw new DisposedError(this.name);
    checkRange(this, offset, into.length);
    for (let done = 0; done < into.length; ) {
      const length = Math.min(mostBytesPerRead, into.length - done);
      const { bytesRead } = await this.handle.read(into, done, length, offset + done);
      if (bytesRead === 0) {
        const needed = offset + into.length;
        throw new TruncatedFileError("file", `the range at byte ${offset}`, needed, offset + done, this.name);
      }
      done += bytesRead;
    }
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.handle.close();
  }
}
