/** Replacement of a fixed string in a text that arrives in parts. */
/** Left to right, not overlapping; holds back only what may still become a match. */
export class StringReplacer {
    pattern;
    content;
    held = "";
    constructor(pattern, content) {
        this.pattern = pattern;
        this.content = content;
    }
    push(part) {
        if (this.pattern === "")
            return part;
        const text = this.held + part;
        let out = "";
        let at = 0;
        for (let match = text.indexOf(this.pattern); match >= 0; match = text.indexOf(this.pattern, at)) {
            out += text.slice(at, match) + this.content;
            at = match + this.pattern.length;
        }
        const keep = this.unfinishedLength(text, at);
        this.held = text.slice(text.length - keep);
        return out + text.slice(at, text.length - keep);
    }
    /** Ends the text: what was held is not a match. */
    flush() {
        const rest = this.held;
        this.held = "";
        return rest;
    }
    /** Length of the longest end of `text`, from `at` on, that begins the pattern. */
    unfinishedLength(text, at) {
        for (let length = Math.min(this.pattern.length - 1, text.length - at); length > 0; length--) {
            if (this.pattern.startsWith(text.slice(text.length - length)))
                return length;
        }
        return 0;
    }
}
