import { FormatError, TruncatedFileError } from "../../core/errors.js";
import { decodeText } from "../text.js";
import { decodeShortText, longestShortText } from "./short-text.js";
/** Bytes fetched at a time. */
const pieceBytes = 2 * 2 ** 20;
export class GgufCursor {
    source;
    window = new Uint8Array(0);
    view = new DataView(this.window.buffer);
    /** Bytes of the window that hold data. */
    filled = 0;
    at = 0;
    /** Where in the file the window begins. */
    windowStart = 0;
    constructor(source) {
        this.source = source;
    }
    /** Bytes read so far. */
    get position() {
        return this.windowStart + this.at;
    }
    /** Bytes of the file not yet read. */
    get remaining() {
        return this.source.size - this.position;
    }
    async u32(field) {
        if (this.at + 4 > this.filled)
            await this.fetch(4, field);
        this.at += 4;
        return this.view.getUint32(this.at - 4, true);
    }
    async u64(field) {
        if (this.at + 8 > this.filled)
            await this.fetch(8, field);
        this.at += 8;
        return this.view.getBigUint64(this.at - 8, true);
    }
    /**
     * A count of things that take at least `itemBytes` each.
     *
     * @param most - more than this is refused.
     * @throws FormatError past `most`, TruncatedFileError when the rest of the file cannot hold so many.
     */
    async count(field, itemBytes, most) {
        const count = Number(await this.u64(field));
        if (count > most)
            throw this.error(field, `${count} is more than the ${most} that are allowed`);
        this.need(count * itemBytes, field);
        return count;
    }
    /** The next `length` bytes as a new array, which the caller has checked with `count` or `need`. */
    async bytes(length, field) {
        this.need(length, field);
        const into = new Uint8Array(length);
        const ready = Math.min(length, this.filled - this.at);
        into.set(this.window.subarray(this.at, this.at + ready));
        this.at += ready;
        if (ready < length) {
            await this.source.read(this.position, into.subarray(ready));
            this.windowStart = this.position + length - ready;
            this.at = this.filled = 0;
        }
        return into;
    }
    /** A string: `u64` length, UTF-8. */
    async string(field, longest) {
        return (await this.strings(1, field, longest))[0];
    }
    /** So many strings one after another. */
    async strings(count, field, longest) {
        const strings = [];
        while (strings.length < count) {
            if (this.at + 8 > this.filled)
                await this.fetch(8, field);
            const length = this.stringLength(field, longest);
            if (this.at + length > this.filled)
                await this.fetch(length, field);
            strings.push(this.text(length, field));
        }
        return strings;
    }
    /** @throws TruncatedFileError unless `bytes` more are in the file. */
    need(bytes, field) {
        if (bytes > this.remaining) {
            throw new TruncatedFileError("GGUF", field, this.position + bytes, this.source.size, this.source.name);
        }
    }
    error(field, problem) {
        return new FormatError("GGUF", field, problem, this.source.name);
    }
    stringLength(field, longest) {
        const length = this.view.getUint32(this.at, true) + this.view.getUint32(this.at + 4, true) * 2 ** 32;
        this.at += 8;
        if (length > longest)
            throw this.error(field, `a string of ${length} bytes; at most ${longest} are allowed`);
        return length;
    }
    text(length, field) {
        const start = this.at;
        this.at += length;
        if (length <= longestShortText) {
            const text = decodeShortText(this.window, start, length);
            if (text !== undefined)
                return text;
        }
        return decodeText(this.window.subarray(start, start + length), "GGUF", field, this.source.name);
    }
    /** Brings at least the next `bytes` into the window, keeping what was not read yet. */
    async fetch(bytes, field) {
        this.need(bytes, field);
        const kept = this.window.subarray(this.at, this.filled);
        const wanted = Math.min(Math.max(bytes, pieceBytes), this.remaining);
        const window = this.window.length >= wanted ? this.window : new Uint8Array(wanted);
        window.set(kept);
        const start = this.position;
        await this.source.read(start + kept.length, window.subarray(kept.length, wanted));
        this.window = window;
        this.view = new DataView(window.buffer);
        this.windowStart = start;
        this.at = 0;
        this.filled = wanted;
    }
}
