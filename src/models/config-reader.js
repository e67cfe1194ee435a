/**
 * Reads a published configuration key by key. Every value is checked: a wrong type or an impossible number is an error
 * that names the key. Keys that are not asked for are left alone, since published files carry many that do not bear
 * on the mathematics.
 */
import { FormatError, UnsupportedError } from "../core/errors.js";
/** No honest configuration has a size above this; larger ones are refused before anything is allocated. */
const largestSize = 2 ** 31;
export class ConfigReader {
    values;
    source;
    constructor(values, 
    /** For messages. */
    source = "config.json") {
        this.values = values;
        this.source = source;
    }
    /** The same configuration with values for keys that are absent; a key that is null stays null. */
    withDefaults(defaults) {
        return new ConfigReader({ ...defaults, ...this.values }, this.source);
    }
    has(key) {
        return this.values[key] !== undefined && this.values[key] !== null;
    }
    /** A whole number from 1 to `largestSize`. */
    size(key, fallback) {
        const value = this.#value(key, fallback);
        if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > largestSize) {
            throw this.#wrong(key, `a whole number from 1 to ${largestSize}`, value);
        }
        return value;
    }
    number(key, fallback) {
        const value = this.#value(key, fallback);
        if (typeof value !== "number" || !Number.isFinite(value))
            throw this.#wrong(key, "a number", value);
        return value;
    }
    /** A number that is not negative: what is added below a root, or multiplies. */
    magnitude(key, fallback) {
        const value = this.number(key, fallback);
        if (value < 0)
            throw this.#wrong(key, "a number from 0 on", value);
        return value;
    }
    flag(key, fallback) {
        const value = this.#value(key, fallback);
        if (typeof value !== "boolean")
            throw this.#wrong(key, "true or false", value);
        return value;
    }
    text(key, fallback) {
        const value = this.#value(key, fallback);
        if (typeof value !== "string")
            throw this.#wrong(key, "a string", value);
        return value;
    }
    /** One of the keys of `choices`, mapped to its value. */
    choice(key, choices, fallback) {
        const value = this.text(key, fallback);
        if (!Object.hasOwn(choices, value))
            throw new UnsupportedError(`${this.source}: ${key}`, value, Object.keys(choices));
        return choices[value];
    }
    /** A list of numbers, or undefined where the key is absent. */
    numbers(key) {
        if (!this.has(key))
            return undefined;
        const value = this.values[key];
        const good = Array.isArray(value) && value.every((each) => typeof each === "number" && Number.isFinite(each));
        if (!good)
            throw this.#wrong(key, "a list of numbers", value);
        return value;
    }
    /** A list of strings, or undefined where the key is absent. */
    texts(key) {
        if (!this.has(key))
            return undefined;
        const value = this.values[key];
        const good = Array.isArray(value) && value.every((each) => typeof each === "string");
        if (!good)
            throw this.#wrong(key, "a list of strings", value);
        return value;
    }
    /** A nested object, or undefined where the key is absent. */
    group(key) {
        if (!this.has(key))
            return undefined;
        const value = this.values[key];
        if (typeof value !== "object" || Array.isArray(value))
            throw this.#wrong(key, "an object", value);
        return new ConfigReader(value, `${this.source}: ${key}`);
    }
    /** A token id, or undefined where the key is absent. */
    tokenId(key) {
        return this.tokenIds(key)[0];
    }
    /** A token id or a list of them; empty where the key is absent. */
    tokenIds(key) {
        if (!this.has(key))
            return [];
        const value = this.values[key];
        const ids = Array.isArray(value) ? value : [value];
        // -1 is how some configurations say "none".
        const good = ids.every((id) => typeof id === "number" && Number.isInteger(id) && id >= -1 && id < largestSize);
        if (!good)
            throw this.#wrong(key, "a token id or a list of them", value);
        return ids.filter((id) => id >= 0);
    }
    /** Of lists of token ids, such as `bad_words_ids`, those of one token: their ids. Empty where the key is absent. */
    singleTokens(key) {
        if (!this.has(key))
            return [];
        const value = this.values[key];
        const isId = (id) => typeof id === "number" && Number.isInteger(id) && id >= 0 && id < largestSize;
        if (!(Array.isArray(value) && value.every((each) => Array.isArray(each) && each.every(isId)))) {
            throw this.#wrong(key, "a list of lists of token ids", value);
        }
        return value.filter((ids) => ids.length === 1).flat();
    }
    /** Throws unless `condition` holds between keys that were read. */
    require(condition, key, problem) {
        if (!condition)
            throw new FormatError(this.source, key, problem);
    }
    #value(key, fallback) {
        const value = this.values[key];
        if (value !== undefined && value !== null)
            return value;
        if (fallback === undefined)
            throw new FormatError(this.source, key, "is missing");
        return fallback;
    }
    #wrong(key, expected, value) {
        return new FormatError(this.source, key, `must be ${expected}, got ${JSON.stringify(value)?.slice(0, 80)}`);
    }
}
