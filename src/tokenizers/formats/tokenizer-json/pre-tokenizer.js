/** The `pre_tokenizer` of a `tokenizer.json`. */
import { UnsupportedError } from "../../../core/errors.js";
import { matcherFor } from "../../pattern/scanners.js";
import * as stages from "../../stages/pre-tokenizers.js";
import { toByteAlphabet } from "../../text/bytes.js";
import { components } from "./normalizer.js";
const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];
const readers = {
    ByteLevel: (field) => stages.byteLevel({
        addPrefixSpace: field.get("add_prefix_space").boolean(true),
        useRegex: field.get("use_regex").boolean(true),
    }),
    Metaspace: readMetaspace,
    Split: (field) => stages.split(readPattern(field), field.get("behavior").oneOf(behaviors), field.get("invert").boolean(false)),
    Whitespace: () => stages.wordsAndSymbols,
    WhitespaceSplit: () => stages.whitespaceSplit,
    Punctuation: (field) => stages.punctuationSplit(field.get("behavior").oneOf(behaviors, "Isolated")),
    Digits: (field) => stages.digits(field.get("individual_digits").boolean(false)),
    BertPreTokenizer: () => stages.bertPreTokenizer,
    CharDelimiterSplit: (field) => {
        const delimiter = field.get("delimiter").string();
        if ([...delimiter].length !== 1)
            throw field.get("delimiter").error("expected one character");
        return stages.split(stages.exactly(delimiter), "Removed");
    },
    FixedLength: (field) => {
        const length = field.get("length").count(1_000_000);
        if (length === 0)
            throw field.get("length").error("expected at least 1");
        return stages.fixedLength(length);
    },
};
/** @throws UnsupportedError naming a type that is not supported, FormatError for a malformed one. */
export function readPreTokenizer(field) {
    const fields = field.get("type").value === "Sequence" ? components(field, "pretokenizers") : [field];
    const split = [];
    fields.forEach((component, index) => {
        split.push(readOne(component));
        const last = index === fields.length - 1;
        if (isByteLevel(component) && !last)
            split.push((text, atStart, emit) => emit(toByteAlphabet(text), atStart));
    });
    return { split: stages.preTokenizerSequence(split), byteAlphabet: fields.length > 0 && isByteLevel(fields.at(-1)) };
}
function readOne(field) {
    const type = field.get("type").string();
    const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
    if (reader === undefined)
        throw new UnsupportedError("pre-tokenizer", type, ["Sequence", ...Object.keys(readers)]);
    return reader(field);
}
function isByteLevel(field) {
    return field.get("type").value === "ByteLevel";
}
function readPattern(field) {
    const pattern = field.get("pattern");
    if (typeof pattern.value === "string")
        return stages.exactly(pattern.value);
    if (!pattern.get("String").absent)
        return stages.exactly(pattern.get("String").string());
    return matcherFor(pattern.get("Regex").string());
}
function readMetaspace(field) {
    const { replacement, prepend } = readMetaspaceOptions(field);
    return stages.metaspace({ replacement, prepend, split: field.get("split").boolean(true) });
}
/** What the pre-tokenizer and the decoder `Metaspace` have in common. */
export function readMetaspaceOptions(field) {
    const replacement = field.get("replacement").string("▁");
    if ([...replacement].length !== 1)
        throw field.get("replacement").error("expected one character");
    const legacy = field.get("add_prefix_space").boolean(true) ? "always" : "never";
    return { replacement, prepend: field.get("prepend_scheme").oneOf(["always", "first", "never"], legacy) };
}
