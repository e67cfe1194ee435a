/** Hugging Face model folders on disk. */
import { createFolder, openFolder } from "./folder.node.js";
import { type HuggingFaceFolder, readHuggingFace } from "./hugging-face/read.js";
import { type HuggingFaceContents, writeHuggingFace } from "./hugging-face/write.js";
import type { ShardOptions } from "./safetensors/sharded.js";

/** Opens the folder at `path`. @throws FileNotFoundError when it is none, and as `readHuggingFace` does. */
export async function readHuggingFaceFolder(path: string): Promise<HuggingFaceFolder> {
  return readHuggingFace(await openFolder(path));
}

/** Writes a folder at `path`, made when it is not there. Throws and returns as `writeHuggingFace` does. */
export async function writeHuggingFaceFolder(
  path: string,
  contents: HuggingFaceContents,
  options: ShardOptions = {},
): Promise<string[]> {
  return writeHuggingFace(await createFolder(path), contents, options);
}
