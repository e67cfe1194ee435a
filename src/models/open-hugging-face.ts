/** Opens a folder as Hugging Face publishes it. */
import type { HuggingFaceFolder } from "../formats/index.js";
import { type LoadedTokenizer, loadTokenizer, tokenizerFileNames } from "../tokenizers/index.js";
import type { OpenedCheckpoint } from "./checkpoint.js";
import { uncompress } from "./compressed-tensors.js";
import { ConfigReader } from "./config-reader.js";
import { huggingFaceDialect } from "./family.js";
import { generationDefaults } from "./generation-defaults.js";
import { textModel } from "./text-part.js";

export async function openHuggingFace(folder: HuggingFaceFolder): Promise<OpenedCheckpoint> {
  const { config: values, tensors } = uncompress(textModel(folder.config, folder.tensors), folder.path);
  const config = new ConfigReader(values, `${folder.path}/config.json`);
  const generation = new ConfigReader(folder.generationConfig ?? {}, `${folder.path}/generation_config.json`);
  return {
    path: folder.path,
    format: "hugging-face",
    config,
    dialect: huggingFaceDialect,
    tensors,
    tokenizer: await readTokenizer(folder),
    endIds: generation.tokenIds("eos_token_id"),
    bannedIds: generation.singleTokens("bad_words_ids"),
    generationDefaults: generationDefaults(generation),
    files: () => readFiles(folder),
    close: () => folder.close(),
  };
}

/** The folder's tokenizer, or undefined when no file of it holds a vocabulary. */
async function readTokenizer(folder: HuggingFaceFolder): Promise<LoadedTokenizer | undefined> {
  const files: Record<string, Uint8Array> = {};
  for (const name of folder.tokenizerFiles) {
    if (tokenizerFileNames.includes(name)) files[name] = await folder.readBytes(name);
  }
  const holdsVocabulary = Object.keys(files).some(
    (name) => !/config|special_tokens_map|chat_template|added/.test(name),
  );
  return holdsVocabulary ? loadTokenizer({ files }) : undefined;
}

async function readFiles(folder: HuggingFaceFolder): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of folder.tokenizerFiles) files.set(name, await folder.readBytes(name));
  if (folder.generationConfig !== undefined) {
    files.set("generation_config.json", new TextEncoder().encode(JSON.stringify(folder.generationConfig)));
  }
  return files;
}
