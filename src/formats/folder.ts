/** A flat folder of files, wherever it is: on disk, in memory, or behind a browser's picker. */
import type { ByteSource } from "../core/checkpoint.js";
import { FileNotFoundError, FormatError } from "../core/errors.js";
import { MemorySource } from "./memory-source.js";
import { decodeText } from "./text.js";

export interface Folder {
  /** For messages: a path or a name. */
  readonly name: string;
  /** Names of its files, sorted; no sub-folders. */
  readonly files: readonly string[];
  /**
   * Opens a file of `files`; the caller closes it.
   * @throws FileNotFoundError when there is no such file.
   */
  open(file: string): Promise<ByteSource>;
}

/** A folder whose files are in memory. */
export function memoryFolder(files: ReadonlyMap<string, Uint8Array>, name = "memory"): Folder {
  return {
    name,
    files: [...files.keys()].sort(),
    async open(file) {
      const bytes = files.get(file);
      if (bytes === undefined) throw new FileNotFoundError(`${name}/${file}`, "a file of this folder");
      return new MemorySource(bytes, `${name}/${file}`);
    },
  };
}

/**
 * A whole file of the folder, as bytes.
 *
 * @param mostBytes - a file larger than this is refused before anything is allocated.
 * @throws FileNotFoundError, FormatError when it is too large.
 */
export async function readWholeFile(folder: Folder, file: string, mostBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  const source = await folder.open(file);
  try {
    if (source.size > mostBytes) {
      throw new FormatError(
        file,
        "file size",
        `${source.size} bytes, more than the ${mostBytes} expected`,
        source.name,
      );
    }
    const bytes = new Uint8Array(source.size);
    await source.read(0, bytes);
    return bytes;
  } finally {
    await source.close();
  }
}

/** A whole file of the folder, as text. Throws as `readWholeFile` does, and FormatError when it is not UTF-8. */
export async function readWholeText(folder: Folder, file: string, mostBytes: number): Promise<string> {
  return decodeText(await readWholeFile(folder, file, mostBytes), file, "text", `${folder.name}/${file}`);
}
