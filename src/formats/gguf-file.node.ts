/** GGUF files on disk. */
import { basename, dirname } from "node:path";
import { openFolder } from "./folder.node.js";
import type { GgufFile } from "./gguf/read.js";
import { readSplitGguf } from "./gguf/split.js";

/** Opens the GGUF file at `path`, and with it the other parts when it is one of several. Throws as `readSplitGguf`. */
export async function readGgufFile(path: string): Promise<GgufFile> {
  return readSplitGguf(await openFolder(dirname(path)), basename(path));
}
