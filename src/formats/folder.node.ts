/** Folders of the system. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { FileNotFoundError } from "../core/errors.js";
import type { ByteSink } from "./byte-sink.js";
import { createFileSink } from "./file-sink.node.js";
import { openFileSource } from "./file-source.node.js";
import type { Folder } from "./folder.js";

/** @throws FileNotFoundError when `path` is no folder that can be read. */
export async function openFolder(path: string): Promise<Folder> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
    return { name: path, files: files.sort(), open: (file) => openFileSource(join(path, file)) };
  } catch (error) {
    throw new FileNotFoundError(path, "a readable folder", (error as NodeJS.ErrnoException).code);
  }
}

/** Makes the folder when it is not there, and gives a way to start files in it. */
export async function createFolder(path: string): Promise<(file: string) => Promise<ByteSink>> {
  await mkdir(path, { recursive: true });
  return (file) => createFileSink(join(path, file));
}
