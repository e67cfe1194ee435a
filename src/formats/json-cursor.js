/**
 * A strict reader of JSON that a stranger wrote, for headers with a known schema.
 *
 * Unlike `JSON.parse` it sees duplicate keys, builds nothing that was not asked for, and limits nesting (RFC 8259).
 */
import { FormatError } from "../core/errors.js";
/** Levels of nesting that `skipValue` passes over. */
const deepest = 64;
/** Members of an object where the caller sets no other limit. */
const mostMembers = 65_536;
const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const integerPattern = /-?(?:0|[1-9]\d{0,16})(?![\d.eE])/y;
export class JsonCursor {
    text;
    format;
    part;
    path;
    at = 0;
    /**
     * @param format - for errors, such as `"safetensors"`.
     * @param part - for errors: what `text` is in the file, such as `"header"`.
     */
    constructor(text, format, part, path) {
        this.text = text;
        this.format = format;
        this.part = part;
        this.path = path;
    }
    /**
     * Calls `member` for each key of an object, with the cursor at the value, which `member` must take.
     *
     * @param most - an object with more members is refused: each takes more memory than it does in the file.
     */
    object(field, member, most = mostMembers) {
        const seen = new Set();
        this.list("{", "}", field, () => {
            const key = this.string(field);
            if (seen.has(key))
                this.fail(field, `key ${JSON.stringify(key.slice(0, 80))} stands twice`);
            if (seen.add(key).size > most)
                this.fail(field, `more than ${most} members`);
            this.take(":", field);
            member(key);
        });
    }
    /** Calls `element` for each element of an array, with the cursor at it. */
    array(field, element) {
        this.list("[", "]", field, element);
    }
    string(field) {
        this.take('"', field);
        const start = this.at;
        let escaped = false;
        for (;; this.at++) {
            const code = this.text.charCodeAt(this.at);
            if (code === 0x22)
                break;
            if (code === 0x5c) {
                escaped = true;
                this.at++;
            }
            else if (!(code >= 0x20)) {
                this.fail(field, this.at >= this.text.length ? "a string has no end" : "a control character in a string");
            }
        }
        const raw = this.text.slice(start, this.at++);
        return escaped ? this.unescape(raw, field) : raw;
    }
    /** A whole number that a double holds exactly. */
    integer(field) {
        this.skipSpace();
        integerPattern.lastIndex = this.at;
        const value = Number(integerPattern.exec(this.text)?.[0] ?? Number.NaN);
        if (!Number.isSafeInteger(value))
            this.fail(field, "a whole number below 2^53 expected");
        this.at = integerPattern.lastIndex;
        return value + 0; // never −0
    }
    /** Passes over a value of any kind. */
    skipValue(field, depth = 0) {
        if (depth > deepest)
            this.fail(field, `nested more than ${deepest} deep`);
        this.skipSpace();
        const first = this.text[this.at];
        if (first === "{")
            this.object(field, () => this.skipValue(field, depth + 1));
        else if (first === "[")
            this.array(field, () => this.skipValue(field, depth + 1));
        else if (first === '"')
            this.string(field);
        else if (!this.skipWord())
            this.fail(field, "a JSON value expected");
    }
    /** @throws FormatError unless only spaces are left. */
    end() {
        this.skipSpace();
        if (this.at < this.text.length)
            this.fail(this.part, "something follows the JSON value");
    }
    fail(field, problem) {
        const where = field === this.part ? field : `${this.part}, ${field}`;
        throw new FormatError(this.format, where, `${problem} (character ${this.at})`, this.path);
    }
    list(open, close, field, item) {
        this.take(open, field);
        this.skipSpace();
        if (this.text[this.at] === close) {
            this.at++;
            return;
        }
        for (;;) {
            item();
            this.skipSpace();
            if (this.text[this.at] === close)
                break;
            this.take(",", field);
        }
        this.at++;
    }
    take(character, field) {
        this.skipSpace();
        if (this.text[this.at] !== character)
            this.fail(field, `${character} expected`);
        this.at++;
    }
    skipWord() {
        for (const word of ["true", "false", "null"]) {
            if (this.text.startsWith(word, this.at)) {
                this.at += word.length;
                return true;
            }
        }
        numberPattern.lastIndex = this.at;
        if (!numberPattern.test(this.text))
            return false;
        this.at = numberPattern.lastIndex;
        return true;
    }
    skipSpace() {
        for (;;) {
            const code = this.text.charCodeAt(this.at);
            if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09)
                return;
            this.at++;
        }
    }
    unescape(raw, field) {
        try {
            return JSON.parse(`"${raw}"`);
        }
        catch {
            return this.fail(field, "a string has a bad escape");
        }
    }
}
