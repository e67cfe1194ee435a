/** Writing a model folder that PyTorch transformers, vLLM and llama.cpp's converter open unchanged. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { InvalidValueError } from "../../core/errors.js";
import { type ByteSink, writeFile } from "../byte-sink.js";
import { type ShardOptions, writeShardedSafetensors } from "../safetensors/sharded.js";
import { encodeText } from "../text.js";
import { configJson } from "./config-json.js";
import { type JsonObject, tokenizerFileNames } from "./read.js";

/** What to write. */
export interface HuggingFaceContents {
  /** For `config.json`, with the keys that transformers knows. */
  readonly config: JsonObject;
  /** For `generation_config.json`, which is left out without it. */
  readonly generationConfig?: JsonObject;
  /** Tokenizer files by name, written byte for byte. Names: those of `tokenizerFileNames`. */
  readonly tokenizerFiles?: ReadonlyMap<string, Uint8Array>;
  readonly tensors: Iterable<StoredTensor>;
}

/**
 * Writes a folder. The weights come last, so a folder that has them is complete.
 *
 * @param create - starts a file of this name in the target folder.
 * @returns the names of the files written.
 * @throws InvalidValueError for a tokenizer file with another name, and as `writeSafetensors` does.
 */
export async function writeHuggingFace(
  create: (file: string) => Promise<ByteSink>,
  contents: HuggingFaceContents,
  options: ShardOptions = {},
): Promise<string[]> {
  const files = new Map<string, Uint8Array>([["config.json", json(contents.config)]]);
  if (contents.generationConfig !== undefined) files.set("generation_config.json", json(contents.generationConfig));
  for (const [file, bytes] of contents.tokenizerFiles ?? []) {
    if (!tokenizerFileNames.includes(file)) {
      throw new InvalidValueError("tokenizerFiles", `named one of ${tokenizerFileNames.join(", ")}`, file);
    }
    files.set(file, bytes);
  }
  for (const [file, bytes] of files) {
    const sink = await create(file);
    await writeFile(sink, () => sink.write(bytes));
  }
  return [...files.keys(), ...(await writeShardedSafetensors(create, contents.tensors, options))];
}

function json(value: JsonObject): Uint8Array {
  return encodeText(configJson(value));
}
