/** The vocabulary in the metadata of a GGUF file. */
import type { GgufMetadata } from "../../../formats/index.js";
import { ggufPreTokenizers } from "../../../tokenizers/formats/gguf/patterns.js";
import type { Tokenizer } from "../../../tokenizers/index.js";
import { conventionsOf, tokenTypes, type Vocabulary } from "./vocabulary.js";

const prefix = "tokenizer.ggml.";

/**
 * @param tokenizer - read from the same metadata without complaint
 * @returns undefined for a kind that merges cannot express
 */
export function fromGguf(metadata: GgufMetadata, tokenizer: Tokenizer): Vocabulary | undefined {
  const model = metadata.string(`${prefix}model`);
  if (model !== "llama" && model !== "gpt2") return undefined;
  const texts = metadata.strings(`${prefix}tokens`);
  const numbers = (key: string) => (metadata.has(prefix + key) ? metadata.numbers(prefix + key) : undefined);
  const [scores, types] = [numbers("scores"), numbers("token_type")];
  const tokens = texts.map((text, id) => ({ text, score: scores?.[id] ?? 0, type: types?.[id] ?? tokenTypes.normal }));
  const byteLevel = model === "gpt2";
  return {
    kind: byteLevel ? "byte-level" : "sentencepiece",
    tokens,
    merges: byteLevel ? metadata.strings(`${prefix}merges`).map(splitMerge) : [],
    preTokenizer: byteLevel ? knownName(metadata.string(`${prefix}pre`, "default")) : undefined,
    spacePrefix: metadata.boolean(`${prefix}add_space_prefix`, !byteLevel),
    ...conventionsOf(tokenizer),
    chatTemplate: metadata.has("tokenizer.chat_template") ? metadata.string("tokenizer.chat_template") : undefined,
  };
}

function splitMerge(merge: string): [string, string] {
  const space = merge.indexOf(" ", 1);
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function knownName(name: string): string {
  return Object.hasOwn(ggufPreTokenizers, name) ? name : "default";
}
