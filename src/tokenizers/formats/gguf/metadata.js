/** Typed access to the metadata of a GGUF file, as its reader hands it over: a map from key to value. */
import { FormatError } from "../../../core/errors.js";
const format = "GGUF metadata";
function rawValue(metadata, key) {
    const entry = metadata.get(key);
    const tagged = typeof entry === "object" && entry !== null && "type" in entry && "value" in entry;
    return tagged ? entry.value : entry;
}
/** An array of strings. @throws FormatError when it is something else. */
export function strings(metadata, key) {
    const value = rawValue(metadata, key);
    if (value === undefined)
        return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) {
        throw new FormatError(format, key, "is not an array of strings");
    }
    return value;
}
/** An array of finite numbers. @throws FormatError when it is something else. */
export function numbers(metadata, key) {
    const value = rawValue(metadata, key);
    if (value === undefined)
        return undefined;
    const items = ArrayBuffer.isView(value) && !(value instanceof DataView) ? Array.from(value) : value;
    if (!Array.isArray(items) || !items.every((item) => typeof item === "number" && Number.isFinite(item))) {
        throw new FormatError(format, key, "is not an array of finite numbers");
    }
    return items;
}
/** A string. @throws FormatError when it is something else. */
export function optionalText(metadata, key) {
    const value = rawValue(metadata, key);
    if (value !== undefined && typeof value !== "string")
        throw new FormatError(format, key, "is not a string");
    return value;
}
/** A boolean. @throws FormatError when it is something else. */
export function flag(metadata, key) {
    const value = rawValue(metadata, key);
    if (value !== undefined && typeof value !== "boolean")
        throw new FormatError(format, key, "is not true or false");
    return value;
}
/** A token id in a vocabulary of `size`. @throws FormatError when it is something else. */
export function tokenId(metadata, key, size) {
    const value = rawValue(metadata, key);
    if (value === undefined)
        return undefined;
    const id = typeof value === "bigint" ? Number(value) : value;
    // -1 as an unsigned integer is how writers say "none".
    if (id === 0xffffffff || id === -1)
        return undefined;
    if (typeof id !== "number" || !Number.isInteger(id) || id < 0 || id >= size) {
        throw new FormatError(format, key, `is ${String(value)}; the vocabulary has ${size} tokens`);
    }
    return id;
}
