/** The `model` of a `tokenizer.json`. */
import { UnsupportedError } from "../../../core/errors.js";
import { BpeModel, byteFallbackIds } from "../../models/bpe.js";
import { MergeTable } from "../../models/merge-table.js";
import { splitAtSpaces } from "../../models/space-split.js";
import { UnigramModel } from "../../models/unigram.js";
import { WordLevelModel } from "../../models/word-level.js";
import { WordPieceModel } from "../../models/word-piece.js";
import { wellFormed } from "../../text/code-points.js";
/** Ids beyond this are not believed. */
export const maxTokenId = 2 ** 24;
const longestAffix = 64;
const readers = {
    BPE: readBpe,
    Unigram: readUnigram,
    WordPiece: readWordPiece,
    WordLevel: readWordLevel,
};
/** @throws UnsupportedError naming a type that is not supported, FormatError for a malformed one. */
export function readModel(field) {
    const type = modelType(field);
    const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
    if (reader === undefined)
        throw new UnsupportedError("tokenizer model", type, Object.keys(readers));
    return reader(field);
}
/** Files from before types were written down are known by their fields. */
function modelType(field) {
    if (!field.get("type").absent)
        return field.get("type").string();
    if (!field.get("merges").absent)
        return "BPE";
    if (!field.get("max_input_chars_per_word").absent)
        return "WordPiece";
    return Array.isArray(field.get("vocab").value) ? "Unigram" : "WordLevel";
}
/** A `{ token: id }` object. */
export function readVocabulary(field) {
    const vocabulary = new Map();
    const taken = new Set();
    for (const [token, id] of Object.entries(field.object())) {
        if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id > maxTokenId) {
            // Always throws, naming the entry: building a field for every entry would cost more than reading them.
            field.get(token).count(maxTokenId);
            continue;
        }
        if (taken.has(id))
            throw field.get(token).error(`repeats the id ${id}`);
        taken.add(id);
        vocabulary.set(wellFormed(token), id);
    }
    return vocabulary;
}
function readBpe(field) {
    const vocabulary = readVocabulary(field.get("vocab"));
    const dropout = field.get("dropout");
    if (!dropout.absent && dropout.number() !== 0)
        throw new UnsupportedError("BPE dropout", String(dropout.value), ["0"]);
    const unknown = field.get("unk_token");
    const continuingPrefix = affix(field.get("continuing_subword_prefix"));
    const endOfWordSuffix = affix(field.get("end_of_word_suffix"));
    const unknownId = unknown.absent ? undefined : requireId(unknown, vocabulary);
    const ignoreMerges = field.get("ignore_merges").boolean(false);
    const bpe = new BpeModel({
        vocabulary,
        merges: readMerges(field.get("merges"), vocabulary, continuingPrefix?.length ?? 0),
        unknownId,
        fuseUnknown: field.get("fuse_unk").boolean(false),
        byteIds: field.get("byte_fallback").boolean(false) ? byteFallbackIds(vocabulary) : undefined,
        ignoreMerges,
        continuingPrefix,
        endOfWordSuffix,
    });
    const affixes = continuingPrefix !== undefined || endOfWordSuffix !== undefined;
    const model = ignoreMerges || affixes ? bpe : splitAtSpaces(bpe, vocabulary);
    return { model, vocabulary, unknownId };
}
/** What is written before or after subwords; short, since it is added to every one of them. */
function affix(field) {
    if (field.absent || field.value === "")
        return undefined;
    if (field.string().length > longestAffix)
        throw field.error(`is longer than ${longestAffix} characters`);
    return field.string();
}
function requireId(field, vocabulary) {
    const id = vocabulary.get(field.string());
    if (id === undefined)
        throw field.error(`${JSON.stringify(field.string().slice(0, 40))} is not in the vocabulary`);
    return id;
}
/** Merges as `"a b"` or `["a", "b"]`, most important first. */
export function readMerges(field, vocabulary, prefixLength) {
    if (!Array.isArray(field.value))
        throw field.error("expected an array of merges");
    const merges = new MergeTable(field.value.length);
    field.value.forEach((merge, rank) => {
        const pair = typeof merge === "string" ? merge.split(" ") : merge;
        if (!Array.isArray(pair) || pair.length !== 2 || typeof pair[0] !== "string" || typeof pair[1] !== "string") {
            throw field.error(`merge ${rank} is not a pair of tokens`);
        }
        const left = vocabulary.get(pair[0]);
        const right = vocabulary.get(pair[1]);
        const merged = vocabulary.get(pair[0] + pair[1].slice(prefixLength));
        if (left === undefined || right === undefined || merged === undefined) {
            throw field.error(`merge ${rank} (${JSON.stringify(pair).slice(0, 80)}) is of tokens outside the vocabulary`);
        }
        merges.set(left, right, rank, merged);
    });
    return merges;
}
function readUnigram(field) {
    const entries = field.get("vocab").value;
    if (!Array.isArray(entries))
        throw field.get("vocab").error("expected an array of [piece, score]");
    const pieces = entries.map((entry, id) => {
        const [text, score] = Array.isArray(entry) ? entry : [];
        if (typeof text !== "string" || typeof score !== "number" || !Number.isFinite(score)) {
            throw field.get("vocab").error(`entry ${id} is not [piece, score]`);
        }
        return { text: wellFormed(text), score };
    });
    const unknown = field.get("unk_id");
    const unknownId = unknown.absent ? undefined : unknown.count(pieces.length - 1);
    const model = new UnigramModel({ pieces, unknownId, byteFallback: field.get("byte_fallback").boolean(false) });
    return { model, vocabulary: new Map(pieces.map(({ text }, id) => [text, id])), unknownId };
}
function readWordPiece(field) {
    const vocabulary = readVocabulary(field.get("vocab"));
    const unknownId = requireId(field.get("unk_token"), vocabulary);
    const prefix = field.get("continuing_subword_prefix");
    const model = new WordPieceModel({
        vocabulary,
        unknownId,
        continuingPrefix: prefix.absent ? "##" : (affix(prefix) ?? ""),
        maxCharacters: field.get("max_input_chars_per_word").count(1000, 100),
    });
    return { model, vocabulary, unknownId };
}
function readWordLevel(field) {
    const vocabulary = readVocabulary(field.get("vocab"));
    const unknownId = vocabulary.get(field.get("unk_token").string());
    return { model: new WordLevelModel(vocabulary, unknownId), vocabulary, unknownId };
}
