/** Metadata of one architecture by key, each value checked. Errors name the key as it stands in the file. */
import { FormatError } from "../../core/errors.js";
/** No honest model has a size above this. */
const largestSize = 2 ** 31;
export class MetadataFields {
    metadata;
    architecture;
    path;
    constructor(metadata, architecture, path) {
        this.metadata = metadata;
        this.architecture = architecture;
        this.path = path;
    }
    has(key) {
        return this.metadata.has(this.#full(key));
    }
    /** A whole number from 1 on; a list where every layer has the same one also counts. */
    size(key, fallback) {
        const full = this.#full(key);
        const entry = this.metadata.entries.get(full);
        const value = entry?.type === "array" ? this.#same(full) : this.metadata.number(full, fallback);
        if (!Number.isInteger(value) || value < 1 || value > largestSize)
            throw this.error(key, `must be a whole number from 1 to ${largestSize}, got ${value}`);
        return value;
    }
    /** A finite number; float32 as the shortest decimal that gives it, so that 1e-6 stays 1e-6. */
    number(key, fallback) {
        const full = this.#full(key);
        const value = this.metadata.number(full, fallback);
        if (!Number.isFinite(value))
            throw this.error(key, `must be a finite number, got ${value}`);
        return this.metadata.entries.get(full)?.type === "f32" ? shortestDecimal(value) : value;
    }
    text(key, fallback) {
        return this.metadata.string(this.#full(key), fallback);
    }
    flag(key, fallback) {
        return this.metadata.boolean(this.#full(key), fallback);
    }
    /** A list of flags, one per layer; undefined where the key is absent or no list. */
    flags(key) {
        const entry = this.metadata.entries.get(this.#full(key));
        return entry?.type === "array" && entry.of === "bool" ? Array.from(entry.value, (flag) => flag === 1) : undefined;
    }
    /** A special token's id in `tokenizer.ggml`; undefined where there is none. */
    tokenId(role, vocabSize) {
        const key = `tokenizer.ggml.${role}_token_id`;
        if (!this.metadata.has(key))
            return undefined;
        const id = this.metadata.number(key);
        // -1 as an unsigned integer is how writers say "none".
        return Number.isInteger(id) && id >= 0 && id < vocabSize ? id : undefined;
    }
    error(key, problem) {
        return new FormatError("GGUF", `metadata ${this.#full(key)}`, problem, this.path);
    }
    #same(full) {
        const values = this.metadata.numbers(full);
        if (values.length > 0 && values.every((value) => value === values[0]))
            return values[0];
        throw new FormatError("GGUF", `metadata ${full}`, "differs from layer to layer, which is not supported", this.path);
    }
    #full(key) {
        return `${this.architecture}.${key}`;
    }
}
/** The shortest decimal whose nearest float32 is `value`. */
export function shortestDecimal(value) {
    for (let digits = 6; digits < 10; digits++) {
        const decimal = Number(value.toPrecision(digits));
        if (Math.fround(decimal) === value)
            return decimal;
    }
    return value;
}
