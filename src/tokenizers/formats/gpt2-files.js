/** `vocab.json` with `merges.txt`: byte-level BPE as GPT-2 published it (Radford et al., 2019, `encoder.py`). */
import { BpeModel } from "../models/bpe.js";
import { CachedModel } from "../models/word-cache.js";
import { PipelineTokenizer } from "../pipeline.js";
import { byteLevelDecoder } from "../stages/decoders.js";
import { byteLevel } from "../stages/pre-tokenizers.js";
import { toByteAlphabet } from "../text/bytes.js";
import { JsonField, parseJson } from "./json-fields.js";
import { readMerges, readVocabulary } from "./tokenizer-json/model.js";
/**
 * A tokenizer from the texts of the two files.
 * @throws FormatError naming the entry that is malformed.
 */
export function readGpt2Files(vocabJson, mergesText, options = {}) {
    const vocabulary = readVocabulary(parseJson(vocabJson, "vocab.json"));
    const lines = mergesText.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
    const pairs = lines.filter((line, index) => line !== "" && !(index === 0 && line.startsWith("#version")));
    const merges = readMerges(new JsonField(pairs, "", "merges.txt"), vocabulary, 0);
    const end = vocabulary.get("<|endoftext|>");
    const addedTokens = specialEntries(vocabulary, options);
    const all = new Map(vocabulary);
    for (const token of addedTokens)
        all.set(token.content, token.id);
    return new PipelineTokenizer({
        vocabulary: all,
        addedTokens,
        preTokenizer: byteLevel({ addPrefixSpace: options.addPrefixSpace ?? false, useRegex: true }),
        model: new CachedModel(new BpeModel({ vocabulary, merges }), toByteAlphabet),
        decoder: byteLevelDecoder,
        roles: options.roles ?? (end === undefined ? {} : { beginId: end, endIds: [end] }),
    });
}
function specialEntries(vocabulary, options) {
    const tokens = [...(options.addedTokens ?? [])];
    for (const content of new Set([...(options.specialTokens ?? []), "<|endoftext|>"])) {
        const id = vocabulary.get(content);
        if (id !== undefined && !tokens.some((token) => token.id === id))
            tokens.push({ id, content, special: true });
    }
    return tokens;
}
