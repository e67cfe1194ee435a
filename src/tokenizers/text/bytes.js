/**
 * Bytes and the two ways vocabularies write them as text: GPT-2's alphabet of 256 printable characters, and the
 * `<0x0A>` tokens of byte fallback.
 */
const encoder = new TextEncoder();
/** UTF-8 bytes of `text`. */
export function utf8(text) {
    return encoder.encode(text);
}
/**
 * GPT-2's `bytes_to_unicode`: printable Latin-1 characters stand for themselves, the others follow from U+0100.
 * Radford et al., 2019, `encoder.py`.
 */
export const byteAlphabet = (() => {
    const alphabet = [];
    let next = 256;
    for (let byte = 0; byte < 256; byte++) {
        const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
        alphabet.push(String.fromCharCode(printable ? byte : next++));
    }
    return alphabet;
})();
/** Byte of each character of the alphabet by its code, which is below U+0144; -1 for other characters. */
const byteOfCharacter = new Int16Array(0x144).fill(-1);
byteAlphabet.forEach((character, byte) => {
    byteOfCharacter[character.charCodeAt(0)] = byte;
});
/** `text` as UTF-8, each byte written as its character of GPT-2's alphabet. */
export function toByteAlphabet(text) {
    let out = "";
    for (const byte of utf8(text))
        out += byteAlphabet[byte];
    return out;
}
/** Bytes of a token written in GPT-2's alphabet, or undefined when it has another character. */
export function fromByteAlphabet(token) {
    const bytes = new Uint8Array(token.length);
    for (let index = 0; index < token.length; index++) {
        const byte = byteOfCharacter[token.charCodeAt(index)] ?? -1;
        if (byte < 0)
            return undefined;
        bytes[index] = byte;
    }
    return bytes;
}
/** The byte-fallback token of each byte: `<0x00>` … `<0xFF>`. */
export const byteTokens = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
/** The byte that a byte-fallback token stands for, or -1. */
export function byteOfToken(token) {
    return token.length === 6 && /^<0x[0-9A-Fa-f]{2}>$/.test(token) ? Number.parseInt(token.slice(3, 5), 16) : -1;
}
function asciiText(bytes) {
    let text = "";
    for (let i = 0; i < bytes.length; i++) {
        if (bytes[i] >= 0x80)
            return undefined;
        text += String.fromCharCode(bytes[i]);
    }
    return text;
}
/** Incremental UTF-8 decoding: holds back an unfinished character; malformed bytes become U+FFFD (WHATWG rules). */
export class Utf8Stream {
    decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    /** No character is unfinished. */
    clean = true;
    push(bytes) {
        // Most tokens are ASCII, and the decoder costs more than they do.
        const ascii = this.clean ? asciiText(bytes) : undefined;
        if (ascii !== undefined)
            return ascii;
        this.clean = bytes.length > 0 ? bytes[bytes.length - 1] < 0x80 : this.clean;
        return this.decoder.decode(bytes, { stream: true });
    }
    flush() {
        return this.decoder.decode();
    }
}
