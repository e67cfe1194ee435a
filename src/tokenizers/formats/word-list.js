/**
 * Plain vocabularies: a list of entries, one id each, where no entry is part of another's making.
 *
 * CTranslate2's `source_vocabulary.txt` and `target_vocabulary.txt` are such lists, and so is the set of characters of
 * a text.
 */
import { FormatError } from "../../core/errors.js";
import { WordLevelModel } from "../models/word-level.js";
import { PipelineTokenizer } from "../pipeline.js";
import { fuse, spacedDecoder } from "../stages/decoders.js";
import { fixedLength, whitespaceSplit } from "../stages/pre-tokenizers.js";
const format = "vocabulary list";
/** The lines of a file; a last empty line does not count. */
export function vocabularyLines(text, fileFormat) {
    const lines = text.split("\n").map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
    if (lines.at(-1) === "")
        lines.pop();
    if (lines.length === 0)
        throw new FormatError(fileFormat, "entries", "has none");
    return lines;
}
/**
 * A tokenizer from a list, one entry per line. The unknown token is one id past the last line; `<s>`, `</s>` and
 * `<blank>` are control tokens. No ids are added around a text.
 *
 * @throws FormatError when the list is empty or repeats an entry.
 */
export function readWordList(text, options = {}) {
    const lines = vocabularyLines(text, format);
    return wordListTokenizer(lines, options.unit ?? "characters");
}
/**
 * A tokenizer whose entries are the characters of `text`, in code-point order, after the control tokens `<s>`, `</s>`.
 * The unknown token is the last id.
 */
export function characterTokenizer(text) {
    const characters = [...new Set(text)].sort((a, b) => a.codePointAt(0) - b.codePointAt(0));
    return wordListTokenizer(["<s>", "</s>", ...characters], "characters");
}
function wordListTokenizer(entries, unit) {
    const vocabulary = new Map();
    entries.forEach((entry, id) => {
        if (vocabulary.has(entry))
            throw new FormatError(format, `line ${id + 1}`, `repeats ${JSON.stringify(entry)}`);
        vocabulary.set(entry, id);
    });
    const unknownId = vocabulary.get("<unk>") ?? entries.length;
    if (!vocabulary.has("<unk>"))
        vocabulary.set("<unk>", unknownId);
    const special = ["<blank>", "<s>", "</s>", "<unk>"].filter((token) => vocabulary.has(token));
    const endId = vocabulary.get("</s>");
    const [preTokenizer, decoder] = unit === "characters" ? [fixedLength(1), fuse] : [whitespaceSplit, spacedDecoder];
    return new PipelineTokenizer({
        vocabulary,
        addedTokens: special.map((content) => ({ id: vocabulary.get(content), content, special: true })),
        preTokenizer,
        model: new WordLevelModel(vocabulary, unknownId),
        decoder,
        roles: {
            beginId: vocabulary.get("<s>"),
            endIds: endId === undefined ? [] : [endId],
            padId: vocabulary.get("<blank>"),
            unknownId,
        },
    });
}
