/** The vocabulary of an opened checkpoint, from whichever of its files holds it. */
import type { OpenedCheckpoint } from "../../checkpoint.js";
import { fromGguf } from "./from-gguf.js";
import { fromLlama2c, fromSentencePiece } from "./from-pieces.js";
import { fromTokenizerJson } from "./from-tokenizer-json.js";
import type { Vocabulary } from "./vocabulary.js";

/**
 * @returns undefined when the checkpoint has none, or one that GGUF and a BPE `tokenizer.json` cannot express
 * @throws UnsupportedError when text is cut in a way that GGUF has no name for
 */
export async function vocabularyOf(checkpoint: OpenedCheckpoint): Promise<Vocabulary | undefined> {
  const { gguf, tokenizer: loaded } = checkpoint;
  if (loaded === undefined) return undefined;
  const { tokenizer, chatTemplate } = loaded;
  if (gguf !== undefined) return fromGguf(gguf.metadata, tokenizer);
  const files = (await checkpoint.files?.()) ?? new Map<string, Uint8Array>();
  const text = (name: string) => new TextDecoder().decode(files.get(name));
  const vocabulary = () => {
    switch (loaded.source) {
      case "tokenizer.json":
        return fromTokenizerJson(text("tokenizer.json"), tokenizer);
      case "tokenizer.model":
        return fromSentencePiece(files.get("tokenizer.model")!, tokenizer);
      case "tokenizer.bin":
        return fromLlama2c(files.get("tokenizer.bin")!, tokenizer);
      case "vocab.json":
        return files.has("merges.txt")
          ? fromTokenizerJson(gpt2Json(text("vocab.json"), text("merges.txt"), tokenizer), tokenizer)
          : undefined;
      default:
        return undefined;
    }
  };
  const found = vocabulary();
  return found === undefined ? undefined : { ...found, chatTemplate };
}

/** GPT-2's two files as the `tokenizer.json` that they amount to. */
function gpt2Json(vocabJson: string, mergesText: string, tokenizer: { isSpecial(id: number): boolean }): string {
  const vocab = JSON.parse(vocabJson) as Record<string, number>;
  const merges = mergesText
    .split(/\r?\n/)
    .filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
  const special = Object.entries(vocab).filter(([, id]) => tokenizer.isSpecial(id));
  const added = special.map(([content, id]) => ({ id, content, special: true }));
  return JSON.stringify({
    model: { type: "BPE", vocab, merges },
    added_tokens: added,
    pre_tokenizer: { type: "ByteLevel" },
  });
}
