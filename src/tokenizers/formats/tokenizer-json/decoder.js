/** The `decoder` of a `tokenizer.json`. */
import { UnsupportedError } from "../../../core/errors.js";
import * as decoders from "../../stages/decoders.js";
import { components } from "./normalizer.js";
import { readMetaspaceOptions } from "./pre-tokenizer.js";
import { limitGrowth, readReplacement } from "./replace.js";
const readers = {
    Sequence: (field) => decoders.decoderSequence(components(field, "decoders").map(readDecoder)),
    ByteLevel: () => decoders.byteLevelDecoder,
    ByteFallback: () => decoders.byteFallbackDecoder,
    Metaspace: (field) => {
        const { replacement, prepend } = readMetaspaceOptions(field);
        return decoders.metaspaceDecoder(replacement, prepend !== "never");
    },
    WordPiece: (field) => decoders.wordPieceDecoder(field.get("prefix").string("##"), field.get("cleanup").boolean(true)),
    Fuse: () => decoders.fuse,
    Strip: (field) => {
        const content = field.get("content").string();
        if ([...content].length !== 1)
            throw field.get("content").error("expected one character");
        return decoders.stripDecoder(content, field.get("start").count(1024), field.get("stop").count(1024));
    },
    Replace: (field) => {
        const { pattern, content } = readReplacement(field);
        if (pattern.kind === "text")
            return decoders.replaceString(pattern.text, content);
        return decoders.replaceMatches(pattern.matcher, content);
    },
    BPEDecoder: (field) => decoders.bpeSuffixDecoder(field.get("suffix").string("</w>")),
};
/** @throws UnsupportedError naming a type that is not supported, FormatError for a malformed one. */
export function readDecoder(field) {
    const type = field.get("type").string();
    const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
    if (reader === undefined)
        throw new UnsupportedError("decoder", type, Object.keys(readers));
    limitGrowth([field]);
    return reader(field);
}
