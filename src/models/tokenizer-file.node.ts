/** A tokenizer from a file that somebody names, in the place of the checkpoint's own. */
import { basename, dirname, extname } from "node:path";
import { UnsupportedError } from "../core/errors.js";
import { readWholeFile } from "../formats/index.js";
import { openFolder } from "../formats/index.node.js";
import { type LoadedTokenizer, loadTokenizer, tokenizerFileNames } from "../tokenizers/index.js";
import type { OpenedCheckpoint } from "./checkpoint.js";

/** The largest vocabularies published are near 35 MB; more than this is some other file. */
const mostBytes = 256 * 2 ** 20;

/** What a file is taken for by its ending, where its own name says nothing. */
const nameByEnding: Readonly<Record<string, string>> = {
  ".json": "tokenizer.json",
  ".model": "tokenizer.model",
  ".bin": "tokenizer.bin",
};

/** The name under which `loadTokenizer` knows a file of this path; undefined for files that it does not read alone. */
export function tokenizerFileName(path: string): string | undefined {
  return tokenizerFileNames.includes(basename(path)) ? basename(path) : nameByEnding[extname(path)];
}

/** @throws FileNotFoundError, UnsupportedError, FormatError */
export async function readTokenizerFile(
  path: string,
): Promise<{ readonly name: string; readonly bytes: Uint8Array; readonly loaded: LoadedTokenizer }> {
  const name = tokenizerFileName(path);
  if (name === undefined) throw new UnsupportedError("tokenizer file", path, Object.keys(nameByEnding));
  const bytes = await readWholeFile(await openFolder(dirname(path)), basename(path), mostBytes);
  return { name, bytes, loaded: loadTokenizer({ files: { [name]: bytes } }) };
}

/** The same checkpoint with the tokenizer of the file at `path`. */
export async function withTokenizer(checkpoint: OpenedCheckpoint, path: string): Promise<OpenedCheckpoint> {
  const { name, bytes, loaded } = await readTokenizerFile(path);
  const files = async () => new Map([[name, bytes]]);
  return { ...checkpoint, tokenizer: loaded, sourceTokenizer: undefined, gguf: undefined, files };
}
