/**
 * Byte-pair encoding of one piece, as Hugging Face's `BPE` model defines it; with other options also tiktoken's and
 * SentencePiece's, which differ only in where ranks come from and in what an unknown character becomes.
 */
import { byteTokens, utf8 } from "../text/bytes.js";
import { unitsAt } from "../text/code-points.js";
/** BPE over characters. For byte-level BPE, pieces arrive written in the byte alphabet. */
export class BpeModel {
    options;
    symbols = new Int32Array(256);
    constructor(options) {
        this.options = options;
    }
    encode(piece, out) {
        if (this.options.ignoreMerges === true) {
            const whole = this.options.vocabulary.get(piece);
            if (whole !== undefined) {
                out.push(whole);
                return;
            }
        }
        const symbolCount = this.splitIntoSymbols(piece);
        const count = this.options.merges.apply(this.symbols, symbolCount);
        for (let i = 0; i < count; i++)
            this.emit(this.symbols[i], out);
    }
    /** Fills `symbols` with the ids of the piece's characters; returns how many. */
    splitIntoSymbols(piece) {
        // A character takes at most three UTF-8 bytes per UTF-16 unit.
        if (this.symbols.length < piece.length * 3)
            this.symbols = new Int32Array(piece.length * 4);
        const { vocabulary, extraSymbols, byteIds, fuseUnknown, unknownId } = this.options;
        let count = 0;
        let lastUnknown = false;
        for (let at = 0; at < piece.length;) {
            const units = unitsAt(piece, at);
            const text = this.symbolText(piece, at, units);
            const id = vocabulary.get(text) ?? extraSymbols?.get(text);
            if (id !== undefined) {
                this.symbols[count++] = id;
                lastUnknown = false;
            }
            else if (byteIds !== undefined) {
                for (const byte of utf8(text))
                    this.symbols[count++] = byteIds[byte];
            }
            else if (unknownId !== undefined) {
                if (!lastUnknown || fuseUnknown !== true)
                    this.symbols[count++] = unknownId;
                lastUnknown = true;
            }
            at += units;
        }
        return count;
    }
    symbolText(piece, at, units) {
        const { continuingPrefix, endOfWordSuffix } = this.options;
        let text = units === 1 ? piece[at] : piece.slice(at, at + 2);
        if (continuingPrefix !== undefined && at > 0)
            text = continuingPrefix + text;
        if (endOfWordSuffix !== undefined && at + units === piece.length)
            text += endOfWordSuffix;
        return text;
    }
    emit(id, out) {
        const leftOver = this.leftOver?.get(id);
        if (leftOver === undefined)
            out.push(id);
        else
            this.emitUnknown(leftOver, out);
    }
    /** Texts of `extraSymbols` by id. */
    get leftOver() {
        if (this.options.extraSymbols === undefined)
            return undefined;
        this.leftOverTexts ??= new Map([...this.options.extraSymbols].map(([text, id]) => [id, text]));
        return this.leftOverTexts;
    }
    leftOverTexts;
    emitUnknown(text, out) {
        const { byteIds, unknownId } = this.options;
        if (byteIds !== undefined)
            for (const byte of utf8(text))
                out.push(byteIds[byte]);
        else if (unknownId !== undefined)
            out.push(unknownId);
    }
}
/** Ids of `<0x00>` … `<0xFF>`, or undefined unless the vocabulary has them all. */
export function byteFallbackIds(vocabulary) {
    const ids = Int32Array.from(byteTokens, (token) => vocabulary.get(token) ?? -1);
    return ids.includes(-1) ? undefined : ids;
}
