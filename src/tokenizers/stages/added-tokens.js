/**
 * Added tokens: entries that are cut out of a text before anything else looks at it, such as `<|endoftext|>`.
 *
 * Follows Hugging Face's `AddedVocabulary`: leftmost longest match, first of the tokens that match the raw text, then,
 * in what is left, of those that match normalized text.
 */
import { Trie } from "../models/trie.js";
import { unitsAt, whitespace, wordCharacters } from "../text/code-points.js";
/** Finds a set of added tokens in a text. */
export class AddedTokenMatcher {
    trie = new Trie();
    tokens;
    /** 1 for every UTF-16 unit that begins a token: most text is passed over by this alone. */
    begins = new Uint8Array(0x10000);
    /** @param contentOf - the text to look for, when it is not the token's content as written. */
    constructor(tokens, contentOf = (token) => token.content) {
        this.tokens = tokens.filter((token) => token.idOnly !== true);
        this.tokens.forEach((token, index) => {
            const content = contentOf(token);
            this.trie.add(content, index);
            if (content !== "")
                this.begins[content.charCodeAt(0)] = 1;
        });
    }
    /** Cuts `text` at the tokens it contains. Nothing is reported for an empty text. */
    split(text, parseSpecialTokens, onSegment) {
        let done = 0;
        let spaceUntil = 0;
        let at = this.tokens.length === 0 ? text.length : 0;
        while (at < text.length) {
            const match = this.begins[text.charCodeAt(at)] === 1 ? this.trie.longest(text, at) : undefined;
            if (match === undefined) {
                at++;
                continue;
            }
            const token = this.tokens[match.value];
            const found = at;
            at = match.end;
            if (!applies(token, text, found, match.end, parseSpecialTokens))
                continue;
            const start = Math.max(token.stripLeft ? spaceStart(text, found, done) : found, done);
            if (token.stripRight)
                spaceUntil = spaceEnd(text, Math.max(match.end, spaceUntil));
            if (done < start)
                onSegment(-1, done, start);
            done = token.stripRight ? spaceUntil : Math.max(match.end, done);
            onSegment(token.id, start, done);
        }
        if (done < text.length)
            onSegment(-1, done, text.length);
    }
}
/** Whether a match counts. */
function applies(token, text, start, end, parseSpecialTokens) {
    if (token.special && !parseSpecialTokens)
        return false;
    return token.singleWord !== true || !(wordBefore(text, start) || wordAfter(text, end));
}
function wordBefore(text, at) {
    if (at === 0)
        return false;
    const start = at >= 2 && unitsAt(text, at - 2) === 2 ? at - 2 : at - 1;
    return wordCharacters.has(text.codePointAt(start));
}
function wordAfter(text, at) {
    return at < text.length && wordCharacters.has(text.codePointAt(at));
}
/** Where the white space before `at` starts, not before `limit`. */
function spaceStart(text, at, limit) {
    let start = at;
    while (start > limit && whitespace.has(text.charCodeAt(start - 1)))
        start--;
    return start;
}
function spaceEnd(text, at) {
    let end = at;
    while (end < text.length && whitespace.has(text.charCodeAt(end)))
        end++;
    return end;
}
