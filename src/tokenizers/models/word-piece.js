/** WordPiece: the longest entry that fits, from left to right (Wu et al., 2016, arXiv:1609.08144; BERT). */
import { unitsAt } from "../text/code-points.js";
/** A word becomes the longest matching entries, or as a whole unknown when some part matches none. */
export class WordPieceModel {
    options;
    longestEntry;
    constructor(options) {
        this.options = options;
        let longest = 0;
        for (const token of options.vocabulary.keys())
            longest = Math.max(longest, token.length);
        this.longestEntry = Math.min(longest, 2 * options.maxCharacters);
    }
    encode(piece, out) {
        const { unknownId, maxCharacters } = this.options;
        const start = out.length;
        if (characterCount(piece) > maxCharacters) {
            out.push(unknownId);
            return;
        }
        for (let at = 0; at < piece.length;) {
            const end = this.longestMatch(piece, at, out);
            if (end === at) {
                out.length = start;
                out.push(unknownId);
                return;
            }
            at = end;
        }
    }
    /** Appends the id of the longest entry at `at`; returns where it ends, or `at` when there is none. */
    longestMatch(piece, at, out) {
        const prefix = at > 0 ? this.options.continuingPrefix : "";
        for (let end = Math.min(piece.length, at + this.longestEntry); end > at; end--) {
            if (end < piece.length && unitsAt(piece, end - 1) === 2)
                continue;
            const id = this.options.vocabulary.get(prefix + piece.slice(at, end));
            if (id !== undefined) {
                out.push(id);
                return end;
            }
        }
        return at;
    }
}
function characterCount(text) {
    let count = 0;
    for (let at = 0; at < text.length; at += unitsAt(text, at))
        count++;
    return count;
}
