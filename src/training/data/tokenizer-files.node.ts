/** Tokenizers in folders, and the texts in files that one is made from. */
import { resolve } from "node:path";
import { writeFile } from "../../formats/byte-sink.js";
import { readWholeFile } from "../../formats/index.js";
import { createFolder, openFolder } from "../../formats/index.node.js";
import { tokenizerFileNames } from "../../tokenizers/index.js";
import { checkDataConfig, type DataConfig, isTextConfig, type Paths } from "./data-config.js";
import { findFiles } from "./files.node.js";
import { examplesOf } from "./parse.js";
import { type SavedTokenizer, savedTokenizer } from "./saved-tokenizer.js";

/** The largest vocabularies published are near 35 MB; more than this is some other file. */
const mostBytes = 256 * 2 ** 20;

/**
 * The tokenizer in a folder, with all its files: what `openDataset` needs, and what a model's folder begins with.
 *
 * @throws FileNotFoundError, FormatError, UnsupportedError
 */
export async function readTokenizer(path: string): Promise<SavedTokenizer> {
  const folder = await openFolder(path);
  const names = folder.files.filter((name) => tokenizerFileNames.includes(name));
  const files = new Map<string, Uint8Array>();
  for (const name of names) files.set(name, await readWholeFile(folder, name, mostBytes));
  return savedTokenizer(files);
}

/** Writes the tokenizer's files into a folder, which is made when it is not there. Each appears when it is whole. */
export async function writeTokenizer(path: string, { files }: SavedTokenizer): Promise<void> {
  const create = await createFolder(path);
  for (const [name, bytes] of files) {
    const sink = await create(name);
    await writeFile(sink, () => sink.write(bytes));
  }
}

/**
 * The texts of the files that `config` describes, normalized as they will be tokenized, read as a stream: to make a
 * tokenizer from. Held-out files of their own are not among them.
 *
 * @param options.side - of pairs: one side only, or both. Default both
 * @throws InvalidValueError, OutOfRangeError, UnknownOptionError for the configuration; FileNotFoundError, FormatError
 */
export async function* textsOf(
  config: DataConfig,
  options: { readonly folder?: string; readonly side?: "source" | "target" | "both" } = {},
): AsyncGenerator<string, void> {
  checkDataConfig(config);
  const { side = "both" } = options;
  const folder = resolve(options.folder ?? ".");
  const find = async (paths: Paths) => (config.kind === "sort" ? [] : findFiles(paths, config.kind, folder));
  const files = await find(config.kind === "parallel" ? config.source : config.kind === "sort" ? [] : config.files);
  const targets = config.kind === "parallel" ? await find(config.target) : [];
  for await (const { source, target } of examplesOf(config, files, targets)) {
    if (side !== "target" && (source !== "" || !isTextConfig(config))) yield source;
    if (side !== "source") yield target;
  }
}
