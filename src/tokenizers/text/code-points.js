/**
 * Sets of Unicode code points, fast enough for the inner loop of a scanner.
 *
 * Membership comes from the JavaScript engine's own Unicode tables, one page of 256 code points at a time, on
 * first use; after that a test is two array reads. Definitions follow Rust's `char` and Oniguruma, not JavaScript's
 * `\s` and `\w`, because that is what the original tokenizers run.
 */
const pageCount = 0x1100;
/** A set of code points with constant-time membership. */
export class CodePointSet {
    contains;
    pages = new Array(pageCount);
    /** @param contains - the definition; called once per code point of every page touched. */
    constructor(contains) {
        this.contains = contains;
    }
    has(codePoint) {
        const page = this.pages[codePoint >> 8] ?? this.fill(codePoint >> 8);
        return page[codePoint & 255] === 1;
    }
    fill(index) {
        const page = new Uint8Array(256);
        for (let low = 0; low < 256; low++)
            page[low] = this.contains((index << 8) | low) ? 1 : 0;
        this.pages[index] = page;
        return page;
    }
}
/** The code points that match a character class written for the `u` flag, such as `"\\p{L}"`. */
function matching(characterClass) {
    const pattern = new RegExp(`^[${characterClass}]$`, "u");
    return new CodePointSet((codePoint) => pattern.test(String.fromCodePoint(codePoint)));
}
const byProperty = new Map();
/**
 * Code points of a Unicode property, such as `"L"`, `"Nd"`, `"Script=Han"`.
 * @returns undefined when the engine knows no such property.
 */
export function propertySet(property) {
    const known = byProperty.get(property);
    if (known !== undefined)
        return known;
    if (!/^[A-Za-z0-9_=]{1,64}$/.test(property))
        return undefined;
    for (const name of [property, `Script=${property}`]) {
        try {
            const set = matching(`\\p{${name}}`);
            byProperty.set(property, set);
            return set;
        }
        catch {
            // Not a property under this name.
        }
    }
    return undefined;
}
export const letters = propertySet("L");
export const numbers = propertySet("N");
export const marks = propertySet("M");
export const nonspacingMarks = propertySet("Mn");
export const decimalDigits = propertySet("Nd");
/** `\s` of Oniguruma and Rust: includes U+0085, excludes U+FEFF. */
export const whitespace = propertySet("White_Space");
/** `\w` of Rust's regex crate (UTS 18, annex C). */
export const wordCharacters = matching("\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}");
/** `\w` of Oniguruma, whose patterns tokenizer files are written in: with Latin-1's superscripts and fractions. */
export const patternWordCharacters = matching("\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u00b2\\u00b3\\u00b9\\u00bc-\\u00be");
/** ASCII punctuation, or general category P: BERT's definition. */
export const punctuation = matching("!-\\/:-@\\[-`\\{-~\\p{P}");
/** Control, format, surrogate and private-use code points: what BERT's normalizer drops. */
export const otherCharacters = matching("\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}");
/** The CJK ideograph blocks that BERT puts spaces around. */
export const cjkIdeographs = matching("\\u{4e00}-\\u{9fff}\\u{3400}-\\u{4dbf}\\u{20000}-\\u{2a6df}\\u{2a700}-\\u{2b73f}\\u{2b740}-\\u{2b81f}" +
    "\\u{2b920}-\\u{2ceaf}\\u{f900}-\\u{faff}\\u{2f800}-\\u{2fa1f}");
/** Number of UTF-16 units of the code point that starts at `index`. */
export function unitsAt(text, index) {
    const unit = text.charCodeAt(index);
    if (unit < 0xd800 || unit > 0xdbff || index + 1 >= text.length)
        return 1;
    const next = text.charCodeAt(index + 1);
    return next >= 0xdc00 && next <= 0xdfff ? 2 : 1;
}
/** Replaces unpaired surrogates by U+FFFD, as encoding to UTF-8 does. */
export function wellFormed(text) {
    return /\p{Surrogate}/u.test(text) ? text.replace(/\p{Surrogate}/gu, "\ufffd") : text;
}
