/**
 * UTF-8 decoding of short strings.
 *
 * A vocabulary is a quarter of a million strings of a few bytes, where a call of TextDecoder costs far more than
 * the decoding. RFC 3629.
 */
/** Longest string, in bytes, that is decoded here. */
export const longestShortText = 48;
const units = [];
/**
 * Decodes `length` bytes at `start`.
 *
 * @returns undefined when they are not valid UTF-8, or hold a character past U+FFFF: TextDecoder is to judge.
 */
export function decodeShortText(bytes, start, length) {
    const end = start + length;
    let count = 0;
    for (let at = start; at < end;) {
        const first = bytes[at++];
        if (first < 0x80) {
            units[count++] = first;
            continue;
        }
        const more = first >= 0xc2 && first < 0xe0 ? 1 : first >= 0xe0 && first < 0xf0 ? 2 : 0;
        if (more === 0 || at + more > end)
            return undefined;
        let code = more === 1 ? first & 0x1f : first & 0x0f;
        for (let i = 0; i < more; i++) {
            const next = bytes[at++];
            if ((next & 0xc0) !== 0x80)
                return undefined;
            code = (code << 6) | (next & 0x3f);
        }
        if (more === 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000)))
            return undefined;
        units[count++] = code;
    }
    units.length = count;
    return String.fromCharCode.apply(null, units);
}
