/** Text files of the system: found in folders, unpacked where they are gzip, read as a stream, known by their content. */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { FileNotFoundError, FormatError, InvalidValueError } from "../../core/errors.js";
import type { DataConfig, Paths } from "./data-config.js";
import type { TextFile } from "./parse.js";

/** Kinds of data that come from files. */
type FileKind = Exclude<DataConfig["kind"], "sort">;

/** Endings of the files that count in a folder, before a possible `.gz`. */
const endings: Readonly<Record<FileKind, readonly string[]>> = {
  text: [".txt", ".text", ".md"],
  jsonl: [".jsonl", ".ndjson"],
  "jsonl-pairs": [".jsonl", ".ndjson"],
  parallel: [".txt"],
  tsv: [".tsv", ".txt", ".tab"],
  cmudict: [".dict"],
};

/**
 * The files that `paths` mean, in the order given, those of a folder in the order of their paths.
 *
 * @param folder - what relative paths are relative to
 * @throws FileNotFoundError; InvalidValueError for a folder without any file of the kind
 */
export async function findFiles(paths: Paths, kind: FileKind, folder: string): Promise<DataFile[]> {
  const found: string[] = [];
  for (const path of typeof paths === "string" ? [paths] : paths) {
    const absolute = resolve(folder, path);
    const entry = await stat(absolute).catch((error: NodeJS.ErrnoException) => {
      throw new FileNotFoundError(absolute, "a readable file or folder", error.code);
    });
    if (!entry.isDirectory()) found.push(absolute);
    else found.push(...(await filesOfFolder(absolute, kind)));
  }
  return Promise.all(found.map(async (path) => new DataFile(path, (await stat(path)).size)));
}

async function filesOfFolder(folder: string, kind: FileKind): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const wanted = (name: string) => endings[kind].some((ending) => name.replace(/\.gz$/, "").endsWith(ending));
  const files = entries.filter((entry) => entry.isFile() && wanted(entry.name));
  if (files.length === 0) {
    throw new InvalidValueError(folder, `a folder with ${endings[kind].join(", ")} (or .gz of it)`, "none");
  }
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

/** One file; its text can be read as often as wanted. */
export class DataFile implements TextFile {
  /** Bytes read in the last reading, as they are in the file. */
  bytesRead = 0;

  constructor(
    readonly path: string,
    readonly size: number,
  ) {}

  /** SHA-256 of the bytes as they are in the file. */
  async digest(signal?: AbortSignal): Promise<string> {
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(this.path, { highWaterMark: 2 ** 20, signal })) hash.update(chunk);
    } catch (error) {
      signal?.throwIfAborted();
      throw new FileNotFoundError(this.path, "a readable file", (error as NodeJS.ErrnoException).code);
    }
    return hash.digest("hex");
  }

  chunks(): AsyncIterable<string> {
    return this.read();
  }

  /** @param hash - is given every byte as it is read, to tell whether they are those that were expected */
  async *read(hash?: Hash): AsyncGenerator<string, void> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      for await (const bytes of (await isGzip(this.path)) ? this.unpacked(hash) : this.bytes(hash)) {
        const text = decoder.decode(bytes, { stream: true });
        if (text !== "") yield text;
      }
      const last = decoder.decode();
      if (last !== "") yield last;
    } catch (error) {
      throw readingError(error as NodeJS.ErrnoException, this.path);
    }
  }

  private async *bytes(hash: Hash | undefined): AsyncGenerator<Uint8Array, void> {
    this.bytesRead = 0;
    for await (const chunk of createReadStream(this.path, { highWaterMark: 2 ** 17 })) {
      hash?.update(chunk);
      this.bytesRead += chunk.length;
      yield chunk;
    }
  }

  private async *unpacked(hash: Hash | undefined): AsyncGenerator<Uint8Array, void> {
    const gunzip = createGunzip({ chunkSize: 2 ** 18 });
    const written = pipeline(this.bytes(hash), gunzip);
    written.catch(() => {}); // whoever reads sees it too
    yield* gunzip;
    await written;
  }
}

/** By its content, whatever it is called. */
async function isGzip(path: string): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const { bytesRead, buffer } = await handle.read(new Uint8Array(2), 0, 2, 0);
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await handle.close();
  }
}

function readingError(error: NodeJS.ErrnoException, path: string): Error {
  if (error.code === "ERR_ENCODING_INVALID_ENCODED_DATA")
    return new FormatError("text", "bytes", "are not UTF-8", path);
  if (error.code?.startsWith("Z_")) return new FormatError("gzip", "data", error.message, path);
  if (error.syscall !== undefined) return new FileNotFoundError(path, "a readable file", error.code);
  return error;
}
