/** `convertCheckpoint`: a checkpoint in one format, written as another, on disk. */
import { mkdir, readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { HithertoError, InvalidValueError } from "./core/errors.js";
import { rejectUnknownOptions } from "./core/options.js";
import { tokenizerFileNames, writeGguf } from "./formats/index.js";
import { createFileSink, writeHuggingFaceFolder } from "./formats/index.node.js";
import type { OpenedCheckpoint } from "./models/checkpoint.js";
import type { ConversionOptions } from "./models/convert/conversion.js";
import { retypeGguf } from "./models/convert/retype-gguf.js";
import { type ConvertTarget, checkType, convertTypes } from "./models/convert/storage.js";
import { toGguf } from "./models/convert/to-gguf.js";
import { toHuggingFace } from "./models/convert/to-hugging-face.js";
import { openCheckpoint } from "./models/open.node.js";

export { type ConvertTarget, type ConvertType, convertTypes } from "./models/convert/storage.js";

export interface ConvertOptions extends ConversionOptions {
  /** A Hugging Face folder, or one GGUF file. */
  readonly to: ConvertTarget;
  /** A tokenizer file for formats that keep it apart (llama2.c). */
  readonly tokenizer?: string;
  /** Replace what is at `out`. Default false: an existing file or a folder with something in it is refused. */
  readonly force?: boolean;
}

const optionNames = ["to", "type", "tokenizer", "force", "signal", "onProgress", "onNotice"];

/** There is something where the output is to go. */
export class OutputExistsError extends HithertoError {
  readonly code = "OUTPUT_EXISTS";

  constructor(readonly path: string) {
    super(`${path} exists; choose another name, or ask for it to be replaced`);
  }
}

/**
 * Reads the checkpoint at `path` and writes it at `out`: a GGUF file, or a folder that PyTorch `transformers` opens.
 * The output has its name only once it is complete: until then it grows under `out + ".partial"`, and when the
 * conversion fails or is aborted nothing remains of it. One tensor is held at a time.
 *
 * @throws OutputExistsError without `force`; UnsupportedError, FormatError and the others of `loadModel` for the
 *   checkpoint; InvalidValueError for a type that the target cannot hold; the signal's reason when it is aborted.
 */
export async function convertCheckpoint(path: string, out: string, options: ConvertOptions): Promise<void> {
  rejectUnknownOptions(options, optionNames);
  if (!Object.hasOwn(convertTypes, options.to)) {
    throw new InvalidValueError("to", `one of ${Object.keys(convertTypes).join(", ")}`, options.to);
  }
  checkType(options.to, options.type);
  options.signal?.throwIfAborted();
  if (resolve(path) === resolve(out)) throw new InvalidValueError("out", "another path than the checkpoint's", out);
  if (options.force !== true && (await isTaken(out))) throw new OutputExistsError(out);
  const checkpoint = await openCheckpoint(path, { tokenizer: options.tokenizer });
  try {
    if (options.to === "gguf") await writeGgufFile(checkpoint, out, options);
    else await writeFolder(checkpoint, out, options);
  } finally {
    await checkpoint.close();
  }
}

/** Whether there is a file, or a folder with something in it. */
async function isTaken(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  return !found.isDirectory() || (await readdir(path)).length > 0;
}

async function writeGgufFile(checkpoint: OpenedCheckpoint, out: string, options: ConvertOptions): Promise<void> {
  if ((await stat(out).catch(() => undefined))?.isDirectory()) {
    throw new InvalidValueError("out", "the path of a file, to write GGUF to", `${out}, a folder`);
  }
  const { gguf } = checkpoint;
  const name = basename(checkpoint.path, extname(checkpoint.path));
  const contents = gguf === undefined ? await toGguf(checkpoint, name, options) : retypeGguf(gguf, options);
  await mkdir(dirname(resolve(out)), { recursive: true });
  await writeGguf(await createFileSink(out), contents);
}

async function writeFolder(checkpoint: OpenedCheckpoint, out: string, options: ConvertOptions): Promise<void> {
  if ((await stat(out).catch(() => undefined))?.isFile()) {
    throw new InvalidValueError("out", "the path of a folder, to write a Hugging Face folder to", `${out}, a file`);
  }
  const contents = await toHuggingFace(checkpoint, options);
  const partial = `${resolve(out)}.partial`;
  await rm(partial, { recursive: true, force: true });
  try {
    const files = await writeHuggingFaceFolder(partial, contents);
    await moveInto(partial, out, files);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Files of a checkpoint that would be read together with the new ones. */
function belongsToCheckpoint(file: string): boolean {
  return (
    /^(model.*\.safetensors(\.index\.json)?|(generation_)?config\.json)$/.test(file) ||
    tokenizerFileNames.includes(file)
  );
}

/** Gives a complete folder its name. In a folder that exists, the old checkpoint goes and everything else stays. */
async function moveInto(partial: string, out: string, files: readonly string[]): Promise<void> {
  const existing = await readdir(out).catch(() => undefined);
  if (existing === undefined || existing.length === 0) {
    if (existing !== undefined) await rmdir(out);
    return rename(partial, out);
  }
  for (const file of existing) if (belongsToCheckpoint(file)) await rm(join(out, file));
  for (const file of files) await rename(join(partial, file), join(out, file));
}
