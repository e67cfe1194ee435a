import { CharMap } from "../../stages/char-map.js";
import { utf8 } from "../../text/bytes.js";
import { unitsAt } from "../../text/code-points.js";
/** What SentencePiece writes for a space. */
export const spaceSymbol = "▁";
/** @param userDefined - pieces that are copied as they are. */
export function sentencePieceNormalizer(spec, whitespaceAsSuffix, userDefined, format) {
    const map = new CharMap(spec.charMap, format);
    const space = spec.escapeWhitespace ? spaceSymbol : " ";
    const before = spec.addDummyPrefix && !whitespaceAsSuffix ? space : "";
    const after = spec.addDummyPrefix && whitespaceAsSuffix ? space : "";
    const copiesText = map.isEmpty && userDefined.isEmpty;
    return (text) => {
        const mapped = copiesText ? text : mapChunks(text, map, userDefined, spec.removeExtraWhitespace);
        const kept = copiesText && spec.removeExtraWhitespace ? mapped.replace(/^ +/, "").replace(/ {2,}/g, " ") : mapped;
        let normalized = text === "" ? "" : before + (spec.escapeWhitespace ? kept.replaceAll(" ", spaceSymbol) : kept);
        // The space put before the text goes too when nothing follows it.
        if (spec.removeExtraWhitespace)
            while (normalized.endsWith(space))
                normalized = normalized.slice(0, -1);
        return normalized === "" ? "" : normalized + after;
    };
}
/**
 * The text, stretch by stretch: user-defined pieces as they are, what the map makes of its longest keys, and other
 * characters; without the spaces that follow a space or begin the text, where those are to go.
 */
function mapChunks(text, map, userDefined, removeExtraWhitespace) {
    const bytes = utf8(text);
    let mapped = "";
    let afterSpace = removeExtraWhitespace;
    let byteAt = 0;
    for (let at = 0; at < text.length;) {
        const piece = userDefined.longest(text, at);
        const match = piece === undefined ? map.match(bytes, byteAt, bytes.length, "longest") : undefined;
        const end = piece?.end ?? (match === undefined ? at + unitsAt(text, at) : endAfterBytes(text, at, match.length));
        const chunk = match?.replacement ?? text.slice(at, end);
        const kept = afterSpace && chunk.startsWith(" ") ? chunk.replace(/^ +/, "") : chunk;
        if (kept !== "") {
            mapped += kept;
            afterSpace = removeExtraWhitespace && kept.endsWith(" ");
        }
        for (; at < end; at += unitsAt(text, at))
            byteAt += utf8Length(text.codePointAt(at));
    }
    return mapped;
}
/** Where the character ends that holds the `count`-th UTF-8 byte from `at`. */
function endAfterBytes(text, at, count) {
    let end = at;
    for (let bytes = 0; bytes < count && end < text.length; end += unitsAt(text, end)) {
        bytes += utf8Length(text.codePointAt(end));
    }
    return end;
}
function utf8Length(codePoint) {
    return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}
