/** How often each pre-token occurs in a corpus: all that byte-pair training needs to know of it. */
import { gpt2Pattern, matcherFor } from "../pattern/scanners.js";
import { AddedTokenMatcher } from "../stages/added-tokens.js";
import { wellFormed } from "../text/code-points.js";
/** Counts pre-tokens text by text. */
export class WordCounts {
    counts = new Map();
    matcher = matcherFor(gpt2Pattern);
    special;
    /** @param specialTokens - cut out of every text, and not counted. */
    constructor(specialTokens) {
        this.special = new AddedTokenMatcher(specialTokens.map((content, id) => ({ id, content, special: true })));
    }
    /** Counts one document: no pre-token reaches across two. */
    add(document) {
        const text = wellFormed(document);
        this.special.split(text, true, (id, start, end) => {
            if (id >= 0)
                return;
            const part = start === 0 && end === text.length ? text : text.slice(start, end);
            this.matcher.forEachMatch(part, (from, to) => {
                const word = part.slice(from, to);
                this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
            });
        });
    }
}
