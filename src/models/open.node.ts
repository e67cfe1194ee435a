/** Opens a checkpoint by its path: a folder, or a file whose format its own first bytes decide. */
import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FileNotFoundError, UnsupportedError } from "../core/errors.js";
import {
  identifyFile,
  isCtranslate2,
  readCtranslate2,
  readHead,
  readLlama2c,
  readSafetensors,
  refuseOtherKinds,
} from "../formats/index.js";
import { openFileSource, openFolder, readGgufFile, readHuggingFaceFolder } from "../formats/index.node.js";
import type { OpenedCheckpoint } from "./checkpoint.js";
import { openGguf } from "./gguf/open-gguf.js";
import {
  type Ctranslate2Model,
  ctranslate2Vocabularies,
  hasCtranslate2Names,
  openCtranslate2,
} from "./open-ctranslate2.js";
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
  if (found.isDirectory()) return openFolderCheckpoint(path);
  const source = await openFileSource(path);
  try {
    const head = await readHead(source);
    const format = identifyFile(head);
    if (format === "safetensors") {
      const file = await readSafetensors(source);
      if (hasCtranslate2Names(file.tensors)) {
        // The same tensors, saved by another program: the names alone tell what they are.
        return await openCtranslate2Beside(path, { ...file, specification: "TransformerBase" });
      }
      await source.close();
      return openHuggingFace(await readHuggingFaceFolder(dirname(path)));
    }
    if (isCtranslate2(head)) return await openCtranslate2Beside(path, await readCtranslate2(source));
    if (format === "gguf") {
      await source.close();
      return await openGgufFile(path);
    }
    if (path.endsWith(".bin") || format === "llama2c") {
      return openLlama2c(path, await readLlama2c(source), await findLlama2cTokenizer(path));
    }
    refuseOtherKinds(source, head, "model", "a model");
    throw new UnsupportedError(`${path}: kind of file`, "unknown", ["folder", ".gguf", ".safetensors", ".bin"]);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** A Hugging Face folder, or that of a CTranslate2 model. */
async function openFolderCheckpoint(path: string): Promise<OpenedCheckpoint> {
  const { files } = await openFolder(path);
  const foreign = files.includes("model.bin") && !files.some((file) => file.endsWith(".safetensors"));
  return foreign ? open(join(path, "model.bin")) : openHuggingFace(await readHuggingFaceFolder(path));
}

/** With the vocabularies that lie in the same folder. */
async function openCtranslate2Beside(path: string, model: Ctranslate2Model): Promise<OpenedCheckpoint> {
  const vocabularies: Record<string, Uint8Array> = {};
  for (const name of ctranslate2Vocabularies) {
    const content = await readFile(join(dirname(path), name)).catch(() => undefined);
    if (content !== undefined) vocabularies[name] = content;
  }
  return openCtranslate2(path, model, vocabularies);
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
