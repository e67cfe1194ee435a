/** Opens a checkpoint by its path: a folder, or a file whose format its own first bytes decide. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileNotFoundError, UnsupportedError } from "../core/errors.js";
import { identifyFile, readHead, readLlama2c } from "../formats/index.js";
import { openFileSource, readGgufFile, readHuggingFaceFolder } from "../formats/index.node.js";
import type { OpenedCheckpoint } from "./checkpoint.js";
import { openGguf } from "./gguf/open-gguf.js";
import { openHuggingFace } from "./open-hugging-face.js";
import { openLlama2c } from "./open-llama2c.js";
import { withTokenizer } from "./tokenizer-file.node.js";

export interface OpenOptions {
  /**
   * A tokenizer file in the place of the checkpoint's own: `.json`, SentencePiece `.model`, llama2.c `.bin`.
   * Default: the checkpoint's; for llama2.c `tokenizer.bin` or `tok*.bin` beside the file.
   */
  readonly tokenizer?: string;
}

/**
 * @throws FileNotFoundError, UnsupportedError, WrongFileError, FormatError, TruncatedFileError: each says which file
 *   and what is wrong with it
 */
export async function openCheckpoint(path: string, options: OpenOptions = {}): Promise<OpenedCheckpoint> {
  const checkpoint = await open(path);
  if (options.tokenizer === undefined) return checkpoint;
  try {
    return await withTokenizer(checkpoint, options.tokenizer);
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
}

async function open(path: string): Promise<OpenedCheckpoint> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new FileNotFoundError(path, "a model: a folder, or a .gguf, .safetensors or .bin file");
  if (found.isDirectory()) return openHuggingFace(await readHuggingFaceFolder(path));
  const source = await openFileSource(path);
  try {
    const format = identifyFile(await readHead(source));
    if (format === "safetensors") {
      await source.close();
      return openHuggingFace(await readHuggingFaceFolder(dirname(path)));
    }
    if (format === "gguf") {
      await source.close();
      return await openGgufFile(path);
    }
    if (path.endsWith(".bin") || format === "llama2c") {
      return openLlama2c(path, await readLlama2c(source), await findLlama2cTokenizer(path));
    }
    throw new UnsupportedError(`${path}: kind of file`, format ?? "unknown", [
      "folder",
      ".gguf",
      ".safetensors",
      ".bin",
    ]);
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function openGgufFile(path: string): Promise<OpenedCheckpoint> {
  const file = await readGgufFile(path);
  try {
    return await openGguf(path, file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function findLlama2cTokenizer(path: string): Promise<Uint8Array | undefined> {
  for (const name of ["tokenizer.bin", "tok512.bin", "tok4096.bin", "tok32000.bin"]) {
    const content = await readFile(join(dirname(path), name)).catch(() => undefined);
    if (content !== undefined) return content;
  }
  return undefined;
}
