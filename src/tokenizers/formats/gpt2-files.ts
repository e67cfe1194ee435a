/** `vocab.json` with `merges.txt`: byte-level BPE as GPT-2 published it (Radford et al., 2019, `encoder.py`). */
import { BpeModel } from "../models/bpe.js";
import { CachedModel } from "../models/word-cache.js";
import { PipelineTokenizer, type TokenRoles } from "../pipeline.js";
import type { AddedToken } from "../stages/added-tokens.js";
import { byteLevelDecoder } from "../stages/decoders.js";
import { byteLevel } from "../stages/pre-tokenizers.js";
import { toByteAlphabet } from "../text/bytes.js";
import { JsonField, parseJson } from "./json-fields.js";
import { readMerges, readVocabulary } from "./tokenizer-json/model.js";

/** What the two files leave out. */
export interface Gpt2Options {
  /** Entries of the vocabulary that are control tokens. Default `<|endoftext|>`, where there is one. */
  readonly specialTokens?: readonly string[];
  /** Entries that the vocabulary does not have. Default none. */
  readonly addedTokens?: readonly AddedToken[];
  /** Put a space before a text that has none. Default false. */
  readonly addPrefixSpace?: boolean;
  readonly roles?: TokenRoles;
}

/**
 * A tokenizer from the texts of the two files.
 * @throws FormatError naming the entry that is malformed.
 */
export function readGpt2Files(vocabJson: string, mergesText: string, options: Gpt2Options = {}): PipelineTokenizer {
  const vocabulary = readVocabulary(parseJson(vocabJson, "vocab.json"));
  const lines = mergesText.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
  const pairs = lines.filter((line, index) => line !== "" && !(index === 0 && line.startsWith("#version")));
  const merges = readMerges(new JsonField(pairs, "", "merges.txt"), vocabulary, 0);
  const end = vocabulary.get("<|endoftext|>");
  const addedTokens = specialEntries(vocabulary, options);
  const all = new Map(vocabulary);
  for (const token of addedTokens) all.set(token.content, token.id);
  return new PipelineTokenizer({
    vocabulary: all,
    addedTokens,
    preTokenizer: byteLevel({ addPrefixSpace: options.addPrefixSpace ?? false, useRegex: true }),
    model: new CachedModel(new BpeModel({ vocabulary, merges }), toByteAlphabet),
    decoder: byteLevelDecoder,
    roles: options.roles ?? (end === undefined ? {} : { beginId: end, endIds: [end] }),
  });
}

function specialEntries(vocabulary: ReadonlyMap<string, number>, options: Gpt2Options): AddedToken[] {
  const tokens: AddedToken[] = [...(options.addedTokens ?? [])];
  for (const content of new Set([...(options.specialTokens ?? []), "<|endoftext|>"])) {
    const id = vocabulary.get(content);
    if (id !== undefined && !tokens.some((token) => token.id === id)) tokens.push({ id, content, special: true });
  }
  return tokens;
}
