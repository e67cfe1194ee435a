/** A byte sink over a file of the system. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { FileNotFoundError } from "../core/errors.js";
import type { ByteSink } from "./byte-sink.js";

/**
 * Starts a file at `path`. It grows under `path + ".partial"` and takes its name only when it is complete, so an
 * interrupted conversion never leaves half a checkpoint that looks whole.
 *
 * @throws FileNotFoundError when the folder does not exist or may not be written.
 */
export async function createFileSink(path: string): Promise<ByteSink> {
  const partial = `${path}.partial`;
  try {
    return new FileSink(path, partial, await open(partial, "w"));
  } catch (error) {
    throw new FileNotFoundError(path, "a file that can be written", (error as NodeJS.ErrnoException).code);
  }
}

class FileSink implements ByteSink {
  constructor(
    readonly name: string,
    private readonly partial: string,
    private readonly handle: FileHandle,
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.handle.write(bytes, done, Math.min(bytes.length - done, 2 ** 30));
      done += bytesWritten;
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
    await rename(this.partial, this.name);
  }

  async abort(): Promise<void> {
    await this.handle.close();
    await rm(this.partial, { force: true });
  }
}
