/**
 * The tokenizer of a checkpoint, chosen by which files it has.
 *
 * Pure: whoever calls hands in the contents of the files named in `tokenizerFileNames`, as bytes or text.
 */
import { FileNotFoundError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { readBertVocab } from "./formats/bert-vocab.js";
import { readGpt2Files } from "./formats/gpt2-files.js";
import { readLlama2c } from "./formats/llama2c.js";
import { readMarian } from "./formats/marian.js";
import { readSentencePiece } from "./formats/sentencepiece/index.js";
import { readTokenizerConfig } from "./formats/tokenizer-config.js";
import { readTokenizerJson } from "./formats/tokenizer-json/index.js";
import { readWordList } from "./formats/word-list.js";
/** By order of preference: the first whose files are all there. */
const formats = [
    { files: ["tokenizer.json"], read: (files) => ({ tokenizer: readTokenizerJson(files.text("tokenizer.json")) }) },
    {
        files: ["vocab.json", "source.spm", "target.spm"],
        read: (files) => ({
            tokenizer: readMarian(files.text("vocab.json"), files.bytes("source.spm")),
            target: readMarian(files.text("vocab.json"), files.bytes("target.spm")),
        }),
    },
    { files: ["tokenizer.model"], read: sentencePiece("tokenizer.model") },
    { files: ["sentencepiece.model"], read: sentencePiece("sentencepiece.model") },
    { files: ["spiece.model"], read: sentencePiece("spiece.model") },
    {
        files: ["vocab.json", "merges.txt"],
        read: (files, config) => ({
            tokenizer: readGpt2Files(files.text("vocab.json"), files.text("merges.txt"), {
                specialTokens: config.specialTokens,
                addedTokens: config.addedTokens,
                addPrefixSpace: config.addPrefixSpace,
            }),
        }),
    },
    {
        files: ["vocab.txt"],
        read: (files, config) => ({ tokenizer: readBertVocab(files.text("vocab.txt"), { lowercase: config.lowercase }) }),
    },
    { files: ["tokenizer.bin"], read: (files) => ({ tokenizer: readLlama2c(files.bytes("tokenizer.bin")) }) },
    {
        files: ["source_vocabulary.txt", "target_vocabulary.txt"],
        read: (files) => ({
            tokenizer: readWordList(files.text("source_vocabulary.txt")),
            target: readWordList(files.text("target_vocabulary.txt")),
        }),
    },
    {
        files: ["shared_vocabulary.txt"],
        read: (files) => ({ tokenizer: readWordList(files.text("shared_vocabulary.txt")) }),
    },
];
function sentencePiece(name) {
    return (files, config) => ({
        tokenizer: readSentencePiece(files.bytes(name), { addBegin: config.addBegin, addEnd: config.addEnd }),
    });
}
const configurationFiles = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
    "chat_template.jinja",
];
/** Every file name that `loadTokenizer` looks at. */
export const tokenizerFileNames = [
    ...new Set([...formats.flatMap(({ files }) => files), ...configurationFiles]),
];
/**
 * Chooses the format by the files that are there, and reads it.
 *
 * @throws FileNotFoundError when no file holds a vocabulary, FormatError or UnsupportedError naming what is wrong
 *   in the one that was chosen.
 */
export function loadTokenizer(options) {
    rejectUnknownOptions(options, ["files"]);
    const files = new FileSet(options.files);
    const config = readTokenizerConfig({
        tokenizerConfig: files.optionalText("tokenizer_config.json"),
        specialTokensMap: files.optionalText("special_tokens_map.json"),
        addedTokens: files.optionalText("added_tokens.json"),
        generationConfig: files.optionalText("generation_config.json"),
        chatTemplate: files.optionalText("chat_template.jinja"),
    });
    const format = formats.find((candidate) => candidate.files.every((name) => files.has(name)));
    if (format === undefined) {
        throw new FileNotFoundError("tokenizer", formats.map((candidate) => candidate.files.join(" with ")).join(", or "));
    }
    const { tokenizer, target } = format.read(files, config);
    return {
        tokenizer: configured(tokenizer, config),
        target: target === undefined ? undefined : configured(target, config),
        source: format.files[0],
        chatTemplate: config.chatTemplate,
        bosToken: config.bosToken,
        eosToken: config.eosToken,
    };
}
/** The tokenizer with what the configuration adds; what it leaves out stays as the vocabulary has it. */
function configured(tokenizer, config) {
    const id = (token) => (token === undefined ? undefined : tokenizer.tokenId(token));
    const endIds = new Set(config.endIds);
    const endId = id(config.eosToken);
    if (endId !== undefined)
        endIds.add(endId);
    const roles = {
        beginId: id(config.bosToken) ?? id(config.clsToken) ?? tokenizer.beginId,
        endIds: endIds.size > 0 ? [...endIds] : tokenizer.endIds,
        padId: id(config.padToken) ?? tokenizer.padId,
        unknownId: id(config.unknownToken) ?? tokenizer.unknownId,
    };
    return (config.cleanUpSpaces ? tokenizer.cleaningUpSpaces() : tokenizer).withRoles(roles);
}
/** The files at hand, as text or as bytes. */
class FileSet {
    files;
    constructor(files) {
        this.files = files;
    }
    has(name) {
        return Object.hasOwn(this.files, name);
    }
    text(name) {
        const content = this.files[name];
        return typeof content === "string" ? content : new TextDecoder().decode(content);
    }
    optionalText(name) {
        return this.has(name) ? this.text(name) : undefined;
    }
    bytes(name) {
        const content = this.files[name];
        return typeof content === "string" ? new TextEncoder().encode(content) : content;
    }
}
