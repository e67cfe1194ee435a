/** The tokenizer of a model, without its weights. */
import { stat } from "node:fs/promises";
import { extname } from "node:path";
import { FileNotFoundError, InvalidValueError } from "./core/errors.js";
import { identifyFile, readHead, readWholeFile } from "./formats/index.js";
import { openFileSource, openFolder, readGgufFile } from "./formats/index.node.js";
import { openCheckpoint } from "./models/open.node.js";
import { readTokenizerFile, tokenizerFileName } from "./models/tokenizer-file.node.js";
import { loadTokenizer, readGgufTokenizer, type Tokenizer, tokenizerFileNames } from "./tokenizers/index.js";

/** The largest vocabularies published are near 35 MB; more than this is some other file. */
const mostBytes = 256 * 2 ** 20;

/**
 * Reads the tokenizer of a checkpoint, of a folder that has nothing but a tokenizer, or of a tokenizer file. For an
 * encoder-decoder model with a vocabulary per side it is the source's.
 *
 * @param path - whatever `loadModel` takes; or `tokenizer.json`, a SentencePiece `.model`, or a folder with one
 * @param options.tokenizer - a tokenizer file to use instead
 * @throws FileNotFoundError, FormatError, UnsupportedError; InvalidValueError for a checkpoint without a tokenizer
 */
export async function openTokenizer(path: string, options: { readonly tokenizer?: string } = {}): Promise<Tokenizer> {
  if (options.tokenizer !== undefined) return (await readTokenizerFile(options.tokenizer)).loaded.tokenizer;
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new FileNotFoundError(path, "a model, or a tokenizer file");
  const vocabulary = found.isDirectory() ? await vocabularyOf(path) : undefined;
  if (vocabulary !== undefined) return loadTokenizer({ files: vocabulary }).tokenizer;
  // A llama2.c checkpoint has the ending of its tokenizer's file.
  const alone = found.isFile() && tokenizerFileName(path) !== undefined && extname(path) !== ".bin";
  return alone ? (await readTokenizerFile(path)).loaded.tokenizer : ofCheckpoint(path);
}

async function ofCheckpoint(path: string): Promise<Tokenizer> {
  if (await isGguf(path)) return ofGguf(path);
  const checkpoint = await openCheckpoint(path);
  try {
    const loaded = checkpoint.sourceTokenizer ?? checkpoint.tokenizer;
    if (loaded === undefined) throw new InvalidValueError("tokenizer", "in the checkpoint", undefined);
    return loaded.tokenizer;
  } finally {
    await checkpoint.close();
  }
}

async function isGguf(path: string): Promise<boolean> {
  if (!(await stat(path)).isFile()) return false;
  const source = await openFileSource(path);
  try {
    return identifyFile(await readHead(source)) === "gguf";
  } finally {
    await source.close();
  }
}

/** Whatever the architecture, and also where the file has a vocabulary and no tensors. */
async function ofGguf(path: string): Promise<Tokenizer> {
  const file = await readGgufFile(path);
  try {
    return readGgufTokenizer(file.metadata.entries);
  } finally {
    await file.close();
  }
}

/** The tokenizer's files in a folder; undefined where there are none. */
async function vocabularyOf(path: string): Promise<Record<string, Uint8Array> | undefined> {
  const folder = await openFolder(path);
  const names = folder.files.filter((name) => tokenizerFileNames.includes(name));
  if (!names.some((name) => /^(tokenizer|vocab|spiece|sentencepiece)\.(json|model|txt|bin)$/.test(name)))
    return undefined;
  const files: Record<string, Uint8Array> = {};
  for (const name of names) files[name] = await readWholeFile(folder, name, mostBytes);
  return files;
}
