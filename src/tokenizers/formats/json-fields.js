/** Typed access to parsed JSON from a stranger: every wrong kind is a `FormatError` that names the field. */
import { FormatError, UnsupportedError } from "../../core/errors.js";
/** A JSON value and where it stood. */
export class JsonField {
    value;
    path;
    format;
    constructor(value, path, format) {
        this.value = value;
        this.path = path;
        this.format = format;
    }
    /** Member `name` of an object; missing members are `undefined`. */
    get(name) {
        const object = this.object();
        const value = Object.hasOwn(object, name) ? object[name] : undefined;
        const shown = name.slice(0, 60);
        return new JsonField(value, this.path === "" ? shown : `${this.path}.${shown}`, this.format);
    }
    /** True for a missing member and for null. */
    get absent() {
        return this.value === undefined || this.value === null;
    }
    object() {
        if (typeof this.value !== "object" || this.value === null || Array.isArray(this.value))
            throw this.wrong("an object");
        return this.value;
    }
    entries() {
        return Object.entries(this.object()).map(([name, value]) => [
            name,
            new JsonField(value, `${this.path}[${JSON.stringify(name.slice(0, 40))}]`, this.format),
        ]);
    }
    items() {
        if (!Array.isArray(this.value))
            throw this.wrong("an array");
        return this.value.map((item, index) => new JsonField(item, `${this.path}[${index}]`, this.format));
    }
    string(fallback) {
        if (this.absent && fallback !== undefined)
            return fallback;
        if (typeof this.value !== "string")
            throw this.wrong("a string");
        return this.value;
    }
    boolean(fallback) {
        if (this.absent && fallback !== undefined)
            return fallback;
        if (typeof this.value !== "boolean")
            throw this.wrong("true or false");
        return this.value;
    }
    number() {
        if (typeof this.value !== "number" || !Number.isFinite(this.value))
            throw this.wrong("a number");
        return this.value;
    }
    /** An integer in [0, limit]. */
    count(limit, fallback) {
        if (this.absent && fallback !== undefined)
            return fallback;
        const value = this.value;
        if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > limit) {
            throw this.wrong(`an integer from 0 to ${limit}`);
        }
        return value;
    }
    /** One of `names`, as a string. */
    oneOf(names, fallback) {
        const value = this.string(fallback);
        if (!names.includes(value))
            throw new UnsupportedError(this.label(), value, names);
        return value;
    }
    /** A `FormatError` about this field. */
    error(problem) {
        return new FormatError(this.format, this.path === "" ? "the file" : this.path, problem);
    }
    /** `format: path`, for other errors. */
    label() {
        return `${this.format} ${this.path}`;
    }
    wrong(expected) {
        return this.error(this.value === undefined ? `is missing; expected ${expected}` : `expected ${expected}, got ${kind(this.value)}`);
    }
}
/** Parses JSON text. @throws FormatError when it is not JSON. */
export function parseJson(text, format) {
    try {
        return new JsonField(JSON.parse(text), "", format);
    }
    catch (error) {
        throw new FormatError(format, "the file", `is not JSON: ${error instanceof Error ? error.message.slice(0, 120) : error}`);
    }
}
function kind(value) {
    if (value === null)
        return "null";
    if (Array.isArray(value))
        return `an array of ${value.length}`;
    if (typeof value === "object")
        return "an object";
    return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value);
}
