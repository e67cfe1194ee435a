/**
 * SentencePiece's precompiled character map: which stretches of text become which others.
 *
 * The blob is a byte count, a double-array trie in darts-clone's layout over UTF-8 bytes, and the replacement texts,
 * each ended by NUL (`normalizer.cc`, `Normalizer::DecodePrecompiledCharsMap`). Every index is checked: the blob may
 * come from a stranger.
 */
import { FormatError } from "../../core/errors.js";
import { utf8 } from "../text/bytes.js";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Unicode's longest compatibility decomposition takes 33 bytes. */
const longestReplacement = 256;
/** A precompiled character map. */
export class CharMap {
    format;
    units;
    texts;
    replacements = new Map();
    /** @throws FormatError when the blob's sizes do not fit together. An empty blob maps nothing. */
    constructor(blob, format) {
        this.format = format;
        if (blob.length === 0) {
            this.units = new Uint32Array(0);
            this.texts = blob;
            return;
        }
        const field = "precompiled_charsmap";
        if (blob.length < 4)
            throw new FormatError(format, field, `is ${blob.length} bytes, too short for a trie's size`);
        const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
        const trieBytes = view.getUint32(0, true);
        if (trieBytes % 4 !== 0 || trieBytes === 0 || trieBytes > blob.length - 4) {
            throw new FormatError(format, field, `claims a trie of ${trieBytes} bytes in ${blob.length}`);
        }
        this.units = new Uint32Array(trieBytes / 4);
        for (let i = 0; i < this.units.length; i++)
            this.units[i] = view.getUint32(4 + 4 * i, true);
        this.texts = blob.subarray(4 + trieBytes);
    }
    /** Whether it maps nothing. */
    get isEmpty() {
        return this.units.length === 0;
    }
    /** The shortest or longest key at `start` of `bytes`, not beyond `end`. */
    match(bytes, start, end, which) {
        const { units } = this;
        if (units.length === 0)
            return undefined;
        let node = offsetOf(units[0]);
        let found = -1;
        let length = 0;
        for (let at = start; at < end; at++) {
            const byte = bytes[at];
            if (byte === 0)
                break;
            node ^= byte;
            if (node >= units.length)
                break;
            const unit = units[node];
            if ((unit & 0x800000ff) >>> 0 !== byte)
                break;
            node ^= offsetOf(unit);
            if (node >= units.length)
                break;
            if (((unit >>> 8) & 1) === 0)
                continue;
            found = units[node] & 0x7fffffff;
            length = at + 1 - start;
            if (which === "shortest")
                break;
        }
        return found < 0 ? undefined : { replacement: this.textAt(found), length };
    }
    textAt(offset) {
        let text = this.replacements.get(offset);
        if (text === undefined) {
            let end = Math.min(offset, this.texts.length);
            while (end < this.texts.length && this.texts[end] !== 0)
                end++;
            if (end - offset > longestReplacement) {
                throw new FormatError(this.format, "precompiled_charsmap", `has a replacement of ${end - offset} bytes`);
            }
            text = decoder.decode(this.texts.subarray(offset, end));
            this.replacements.set(offset, text);
        }
        return text;
    }
}
function offsetOf(unit) {
    return ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
}
/**
 * Hugging Face's `Precompiled` normalizer. Unlike SentencePiece it looks at grapheme clusters, whole when they are
 * shorter than six bytes and character by character otherwise, and takes the shortest key (`spm_precompiled`).
 */
export function precompiledNormalizer(map) {
    const replaced = (text) => {
        const bytes = utf8(text);
        return map.match(bytes, 0, bytes.length, "shortest")?.replacement;
    };
    const characters = (text) => {
        let out = "";
        for (const character of text)
            out += replaced(character) ?? character;
        return out;
    };
    return (text) => {
        if (/^[\x20-\x7e]*$/.test(text))
            return characters(text);
        let out = "";
        for (const { segment } of graphemes().segment(text)) {
            out += (utf8(segment).length < 6 ? replaced(segment) : undefined) ?? characters(segment);
        }
        return out;
    };
}
let segmenter;
function graphemes() {
    segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
    return segmenter;
}
