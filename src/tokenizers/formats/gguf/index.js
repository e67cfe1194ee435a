/** The vocabulary inside a GGUF file. Keys and defaults are llama.cpp's (`llama-vocab.cpp`). */
import { FormatError, UnsupportedError } from "../../../core/errors.js";
import { BpeModel, byteFallbackIds } from "../../models/bpe.js";
import { mergesFromScores } from "../../models/score-merges.js";
import { splitAtSpaces } from "../../models/space-split.js";
import { Trie } from "../../models/trie.js";
import { UnigramModel } from "../../models/unigram.js";
import { CachedModel } from "../../models/word-cache.js";
import { matcherFor } from "../../pattern/scanners.js";
import { PipelineTokenizer } from "../../pipeline.js";
import { byteLevelDecoder } from "../../stages/decoders.js";
import { preTokenizerSequence, split } from "../../stages/pre-tokenizers.js";
import { toByteAlphabet } from "../../text/bytes.js";
import { bertTokenizer } from "../bert-vocab.js";
import { JsonField } from "../json-fields.js";
import { sentencePieceDecoder } from "../sentencepiece/decoder.js";
import { sentencePieceNormalizer, spaceSymbol } from "../sentencepiece/normalizer.js";
import { pieceTypes } from "../sentencepiece/proto.js";
import { readMerges } from "../tokenizer-json/model.js";
import { flag, numbers, optionalText, strings, tokenId } from "./metadata.js";
import { ggufPreTokenizers } from "./patterns.js";
const format = "GGUF metadata";
const prefix = "tokenizer.ggml.";
const readers = {
    llama: readSpm,
    gpt2: readByteLevel,
    bert: readBert,
    t5: readUnigram,
};
/**
 * A tokenizer from the metadata of a GGUF file.
 *
 * @throws FormatError naming the key that is malformed or missing, UnsupportedError naming a kind of vocabulary or a
 *   pre-tokenizer that is not supported.
 */
export function readGgufTokenizer(metadata) {
    const kind = optionalText(metadata, `${prefix}model`);
    if (kind === undefined)
        throw new FormatError(format, `${prefix}model`, "is missing: the file holds no tokenizer");
    const reader = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
    if (reader === undefined)
        throw new UnsupportedError("GGUF tokenizer", kind, Object.keys(readers));
    return reader(readEntries(metadata));
}
function readEntries(metadata) {
    const tokens = strings(metadata, `${prefix}tokens`);
    if (tokens === undefined || tokens.length === 0)
        throw new FormatError(format, `${prefix}tokens`, "is missing or empty");
    const perToken = (key) => {
        const values = numbers(metadata, prefix + key) ?? new Float64Array(tokens.length).fill(key === "scores" ? 0 : 1);
        if (values.length < tokens.length) {
            throw new FormatError(format, prefix + key, `has ${values.length} values for ${tokens.length} tokens`);
        }
        return values;
    };
    const vocabulary = new Map();
    tokens.forEach((token, id) => {
        if (!vocabulary.has(token))
            vocabulary.set(token, id);
    });
    return { metadata, tokens, vocabulary, scores: perToken("scores"), types: perToken("token_type") };
}
/** Control, unknown and user-defined tokens are all read from text; user-defined ones are ordinary text when decoded. */
function addedTokens({ tokens, types }) {
    const added = [];
    tokens.forEach((content, id) => {
        if (content === "")
            return;
        if (types[id] === pieceTypes.control || types[id] === pieceTypes.unknown)
            added.push({ id, content, special: true });
        else if (types[id] === pieceTypes.userDefined)
            added.push({ id, content, special: false });
    });
    return added;
}
/** Roles and the ids around a text, by the file's keys and, where it has none, the defaults of its kind. */
function conventions({ metadata, tokens }, defaults) {
    const id = (key) => tokenId(metadata, `${prefix}${key}_token_id`, tokens.length);
    const inRange = (fallback) => (fallback !== undefined && fallback < tokens.length ? fallback : undefined);
    const beginId = id("bos") ?? inRange(defaults.begin);
    const endId = id("eos") ?? inRange(defaults.end);
    const ends = new Set([endId, id("eot"), id("eom")].filter((end) => end !== undefined));
    const roles = { beginId, endIds: [...ends], padId: id("padding"), unknownId: id("unknown") };
    const addBegin = flag(metadata, `${prefix}add_bos_token`) ?? defaults.addBegin;
    const addEnd = flag(metadata, `${prefix}add_eos_token`) ?? defaults.addEnd;
    return {
        roles,
        template: {
            before: addBegin && beginId !== undefined ? [beginId] : [],
            after: addEnd && endId !== undefined ? [endId] : [],
        },
    };
}
/** `llama`: SentencePiece BPE by scores, spaces as `▁`, bytes for unknown characters. */
function readSpm(entries) {
    const { tokens, vocabulary, scores, metadata } = entries;
    const pieces = tokens
        .map((token, id) => ({ text: token, id, score: scores[id] }))
        .filter((piece) => piece.text !== "");
    const addPrefix = flag(metadata, `${prefix}add_space_prefix`) ?? true;
    const normalizer = { charMap: new Uint8Array(0), removeExtraWhitespace: false, escapeWhitespace: true };
    const shared = conventions(entries, { begin: 1, end: 2, addBegin: true, addEnd: false });
    const merges = mergesFromScores(pieces, tokens.length, format);
    const bpe = new BpeModel({ ...merges, unknownId: shared.roles.unknownId, byteIds: byteFallbackIds(vocabulary) });
    return new PipelineTokenizer({
        vocabulary,
        addedTokens: addedTokens(entries),
        normalizer: sentencePieceNormalizer({ ...normalizer, addDummyPrefix: addPrefix }, false, new Trie(), format),
        model: splitAtSpaces(bpe, merges.vocabulary),
        decoder: sentencePieceDecoder(addPrefix ? "drop-one" : "keep"),
        ...shared,
    });
}
/** `gpt2`: byte-level BPE by merges. */
function readByteLevel(entries) {
    const { metadata, vocabulary } = entries;
    const name = optionalText(metadata, `${prefix}pre`) ?? "default";
    const pre = Object.hasOwn(ggufPreTokenizers, name) ? ggufPreTokenizers[name] : undefined;
    if (pre === undefined)
        throw new UnsupportedError(`${prefix}pre`, name, Object.keys(ggufPreTokenizers));
    const merges = new JsonField(strings(metadata, `${prefix}merges`), `${prefix}merges`, format);
    const model = new BpeModel({
        vocabulary,
        merges: readMerges(merges, vocabulary, 0),
        ignoreMerges: pre.ignoreMerges,
    });
    return new PipelineTokenizer({
        vocabulary,
        addedTokens: addedTokens(entries),
        preTokenizer: preTokenizerSequence(pre.patterns.map((pattern) => split(matcherFor(pattern), "Isolated"))),
        model: new CachedModel(model, toByteAlphabet),
        decoder: byteLevelDecoder,
        ...conventions(entries, { addBegin: pre.addBegin ?? false, addEnd: false }),
    });
}
/** `bert`: WordPiece, with `▁` before a word's first piece where `vocab.txt` has `##` before the others. */
function readBert(entries) {
    const vocabulary = new Map();
    entries.tokens.forEach((token, id) => {
        const control = entries.types[id] === pieceTypes.control || entries.types[id] === pieceTypes.unknown;
        const inWord = token.startsWith(spaceSymbol) ? token.slice(1) : `##${token}`;
        vocabulary.set(control ? token : inWord, id);
    });
    return bertTokenizer(vocabulary, {});
}
/** `t5`: SentencePiece unigram. */
function readUnigram(entries) {
    const { metadata, tokens, vocabulary, scores, types } = entries;
    const key = `${prefix}precompiled_charsmap`;
    const charMap = Uint8Array.from(numbers(metadata, key) ?? []);
    const shared = conventions(entries, { end: 1, addBegin: false, addEnd: true });
    const removeExtraWhitespace = flag(metadata, `${prefix}remove_extra_whitespaces`) ?? false;
    const addDummyPrefix = flag(metadata, `${prefix}add_space_prefix`) ?? false;
    const spec = { charMap, addDummyPrefix, removeExtraWhitespace, escapeWhitespace: true };
    return new PipelineTokenizer({
        vocabulary,
        addedTokens: addedTokens(entries),
        normalizer: sentencePieceNormalizer(spec, false, new Trie(), format),
        model: new UnigramModel({
            pieces: tokens.map((token, id) => ({ text: token, score: scores[id] })),
            unmatchable: (id) => types[id] !== pieceTypes.normal && types[id] !== pieceTypes.userDefined,
            userDefined: (id) => types[id] === pieceTypes.userDefined,
            unknownId: shared.roles.unknownId ?? (tokens.length > 2 ? 2 : undefined),
        }),
        decoder: sentencePieceDecoder(removeExtraWhitespace ? "drop-all" : addDummyPrefix ? "drop-one" : "keep"),
        ...shared,
    });
}
