/** The `normalizer` of a `tokenizer.json`. */
import { UnsupportedError } from "../../../core/errors.js";
import { CharMap, precompiledNormalizer } from "../../stages/char-map.js";
import { replaceAllMatches } from "../../stages/decoders.js";
import * as normalizers from "../../stages/normalizers.js";
import { toByteAlphabet } from "../../text/bytes.js";
import { base64Bytes } from "../base64.js";
import { limitGrowth, readReplacement } from "./replace.js";
const maxComponents = 64;
const readers = {
    Sequence: (field) => normalizers.normalizerSequence(components(field, "normalizers").map(readNormalizer)),
    NFC: () => normalizers.unicodeForm("NFC"),
    NFD: () => normalizers.unicodeForm("NFD"),
    NFKC: () => normalizers.unicodeForm("NFKC"),
    NFKD: () => normalizers.unicodeForm("NFKD"),
    Lowercase: () => normalizers.lowercase,
    Strip: (field) => normalizers.strip(field.get("strip_left").boolean(true), field.get("strip_right").boolean(true)),
    StripAccents: () => normalizers.stripAccents,
    Replace: readReplace,
    Prepend: (field) => normalizers.prepend(prefixText(field.get("prepend"))),
    BertNormalizer: (field) => normalizers.bertNormalizer({
        cleanText: field.get("clean_text").boolean(true),
        handleChineseChars: field.get("handle_chinese_chars").boolean(true),
        stripAccents: field.get("strip_accents").absent ? undefined : field.get("strip_accents").boolean(),
        lowercase: field.get("lowercase").boolean(true),
    }),
    Precompiled: (field) => {
        const blob = field.get("precompiled_charsmap");
        const bytes = blob.absent ? new Uint8Array(0) : base64Bytes(blob.string());
        if (bytes === undefined)
            throw blob.error("is not base64");
        return precompiledNormalizer(new CharMap(bytes, "tokenizer.json"));
    },
    Nmt: () => normalizers.nmt,
    ByteLevel: () => toByteAlphabet,
};
/** @throws UnsupportedError naming a type that is not supported, FormatError for a malformed one. */
export function readNormalizer(field) {
    const type = field.get("type").string();
    const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
    if (reader === undefined)
        throw new UnsupportedError("normalizer", type, Object.keys(readers));
    limitGrowth([field]);
    return reader(field);
}
function prefixText(field) {
    if (field.string().length > 1024)
        throw field.error(`is ${field.string().length} characters; the limit is 1024`);
    return field.string();
}
function readReplace(field) {
    const { pattern, content } = readReplacement(field);
    if (pattern.kind === "regex")
        return (text) => replaceAllMatches(text, pattern.matcher, content);
    return pattern.text === "" ? (text) => text : (text) => text.replaceAll(pattern.text, () => content);
}
/** The members of a `Sequence`: not too many, and no sequence inside a sequence. */
export function components(field, name) {
    const items = field.get(name).items();
    if (items.length > maxComponents)
        throw field.error(`has ${items.length} components; the limit is ${maxComponents}`);
    for (const item of items) {
        if (item.get("type").value === "Sequence")
            throw item.error("is a Sequence inside a Sequence");
    }
    limitGrowth(items);
    return items;
}
