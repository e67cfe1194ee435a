/**
 * When a completion ends, and which text may be shown before that is known.
 *
 * A stop string may lie across tokens: text that could be the beginning of one is held back until it is clear.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
/** @throws UnknownOptionError, InvalidValueError, OutOfRangeError */
export function checkStopping(options) {
    rejectUnknownOptions(options, ["strings", "tokenIds", "endIds", "maxTime"], "stopping");
    for (const text of options.strings ?? []) {
        if (typeof text !== "string" || text === "")
            throw new InvalidValueError("stopping.strings", "non-empty strings", text);
    }
    for (const id of options.tokenIds ?? []) {
        if (!(Number.isInteger(id) && id >= 0))
            throw new InvalidValueError("stopping.tokenIds", "token ids", id);
    }
    if (options.maxTime !== undefined && !(options.maxTime >= 0)) {
        throw new OutOfRangeError("stopping.maxTime", "0 or above", options.maxTime);
    }
}
/** Lets text through until a stop string appears in it. */
export class StopStrings {
    strings;
    #held = "";
    #longest;
    constructor(strings) {
        this.strings = strings;
        this.#longest = strings.reduce((longest, text) => Math.max(longest, text.length), 0);
    }
    /** Takes text; returns what may be shown now, and the stop string if one is complete. */
    push(text) {
        if (this.#longest === 0)
            return { text };
        const all = this.#held + text;
        const found = this.#firstMatch(all);
        if (found !== undefined) {
            this.#held = "";
            return { text: all.slice(0, found.at), stopped: found.text };
        }
        const keep = this.#possibleStart(all);
        this.#held = all.slice(all.length - keep);
        return { text: all.slice(0, all.length - keep) };
    }
    /** The end has come otherwise: what was held back was no stop string after all. */
    flush() {
        const text = this.#held;
        this.#held = "";
        return text;
    }
    /** The match that begins first; of several there, the one that is complete first. */
    #firstMatch(text) {
        let best;
        for (const stop of this.strings) {
            const at = text.indexOf(stop);
            if (at < 0)
                continue;
            if (best === undefined || at < best.at || (at === best.at && stop.length < best.text.length))
                best = { at, text: stop };
        }
        return best;
    }
    /** Length of the longest end of `text` that begins some stop string. */
    #possibleStart(text) {
        for (let length = Math.min(text.length, this.#longest - 1); length > 0; length--) {
            const end = text.slice(text.length - length);
            if (this.strings.some((stop) => stop.length > length && stop.startsWith(end)))
                return length;
        }
        return 0;
    }
}
