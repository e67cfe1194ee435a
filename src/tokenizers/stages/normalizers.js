/**
 * From text as given to text as the vocabulary expects it. Each function does what the Hugging Face normalizer of its
 * name does; where that follows Rust's `char` rather than Python or JavaScript, so does this.
 */
import { cjkIdeographs, marks, nonspacingMarks, otherCharacters, whitespace } from "../text/code-points.js";
/** Runs `normalizers` one after the other. */
export function normalizerSequence(normalizers) {
    if (normalizers.length === 1)
        return normalizers[0];
    return (text) => normalizers.reduce((out, normalize) => normalize(out), text);
}
/** Canonical or compatibility (de)composition. */
export function unicodeForm(form) {
    return (text) => text.normalize(form);
}
/** Lower case character by character: a final sigma becomes an ordinary one. */
export const lowercase = (text) => text.replaceAll("Σ", "σ").toLowerCase();
/** Cuts white space off the ends. */
export function strip(left, right) {
    return (text) => {
        let start = 0;
        let end = text.length;
        if (left)
            while (start < end && whitespace.has(text.charCodeAt(start)))
                start++;
        if (right)
            while (end > start && whitespace.has(text.charCodeAt(end - 1)))
                end--;
        return text.slice(start, end);
    };
}
/** Keeps the characters that `keep` keeps. */
function filterCharacters(text, keep) {
    let out = "";
    for (const character of text)
        if (keep(character.codePointAt(0)))
            out += character;
    return out;
}
/** Drops combining marks; does not decompose first. */
export const stripAccents = (text) => filterCharacters(text, (c) => !marks.has(c));
/** Puts `prefix` before every text that is not empty. */
export function prepend(prefix) {
    return (text) => (text === "" ? text : prefix + text);
}
/** BERT's normalizer (Devlin et al., 2019, `tokenization.py`, in the form of Hugging Face's `BertNormalizer`). */
export function bertNormalizer(options) {
    const steps = [];
    if (options.cleanText)
        steps.push(cleanText);
    if (options.handleChineseChars)
        steps.push(spaceOutIdeographs);
    if (options.stripAccents ?? options.lowercase) {
        steps.push((text) => filterCharacters(text.normalize("NFD"), (c) => !nonspacingMarks.has(c)));
    }
    if (options.lowercase)
        steps.push(lowercase);
    return (text) => steps.reduce((out, step) => step(out), text);
}
/** Drops control characters and makes every kind of white space a space. */
function cleanText(text) {
    if (/^[\x20-\x7e]*$/.test(text))
        return text;
    let out = "";
    for (const character of text) {
        const codePoint = character.codePointAt(0);
        if (whitespace.has(codePoint) && (codePoint === 9 || codePoint === 10 || codePoint === 13))
            out += " ";
        else if (codePoint === 0xfffd || otherCharacters.has(codePoint))
            continue;
        else
            out += whitespace.has(codePoint) ? " " : character;
    }
    return out;
}
function spaceOutIdeographs(text) {
    let out = "";
    for (const character of text)
        out += cjkIdeographs.has(character.codePointAt(0)) ? ` ${character} ` : character;
    return out;
}
/** SentencePiece's `nmt` rules: some control characters vanish, odd white space becomes a space. */
export const nmt = (text) => text.replace(nmtDropped, "").replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, " ");
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is the purpose.
const nmtDropped = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g;
