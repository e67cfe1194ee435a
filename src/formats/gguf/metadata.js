/** The metadata of a GGUF file: typed values by key, and asking for them by type. */
import { FormatError } from "../../core/errors.js";
import { elementTypes, numberBytes, } from "./types.js";
/** More than any real file has, and few enough to hold. `arrayBytes` is for one array of numbers. */
const limits = {
    entries: 65_536,
    strings: 2 ** 21,
    arrays: 65_536,
    arrayBytes: 2 ** 28,
    keyBytes: 65_535,
    stringBytes: 2 ** 26,
    depth: 4,
};
/** Metadata by key, in the file's order. */
export class GgufMetadata {
    entries;
    path;
    /** @param path - for errors. */
    constructor(entries, path = "metadata") {
        this.entries = entries;
        this.path = path;
    }
    has(key) {
        return this.entries.has(key);
    }
    /** @throws FormatError naming the key when it is absent and there is no fallback, or is no safe number. */
    number(key, fallback) {
        const { value } = this.find(key, fallback);
        return typeof value === "number" ? value : this.refuse(key, "a number");
    }
    /** @throws FormatError naming the key when it is absent and there is no fallback, or is no string. */
    string(key, fallback) {
        const { value } = this.find(key, fallback);
        return typeof value === "string" ? value : this.refuse(key, "a string");
    }
    /** @throws FormatError naming the key when it is absent and there is no fallback, or is no boolean. */
    boolean(key, fallback) {
        const { value } = this.find(key, fallback);
        return typeof value === "boolean" ? value : this.refuse(key, "a boolean");
    }
    /** @throws FormatError naming the key when it is absent, or is no array of strings. */
    strings(key) {
        const entry = this.entries.get(key);
        return entry?.type === "array" && entry.of === "string" ? entry.value : this.refuse(key, "an array of strings");
    }
    /** @throws FormatError naming the key when it is absent, or is no array of numbers that doubles hold exactly. */
    numbers(key) {
        const entry = this.entries.get(key);
        if (entry?.type !== "array" || entry.of === "array" || entry.of === "string" || entry.of === "bool") {
            return this.refuse(key, "an array of numbers");
        }
        const { value } = entry;
        if (value instanceof BigUint64Array || value instanceof BigInt64Array)
            return this.refuse(key, "numbers below 2^53");
        return value;
    }
    find(key, fallback) {
        return this.entries.get(key) ?? (fallback === undefined ? this.refuse(key, "present") : { value: fallback });
    }
    refuse(key, expected) {
        const entry = this.entries.get(key);
        const found = entry === undefined ? "it is missing" : entry.type === "array" ? `it is ${entry.of}[]` : `it is ${entry.type}`;
        throw new FormatError("GGUF", `metadata ${key}`, `must be ${expected}, but ${found}`, this.path);
    }
}
/** Bytes of the shortest entry: an empty key and a one-byte value. */
const shortestEntry = 8 + 4 + 1;
/**
 * Reads `entries` key-value pairs.
 *
 * @throws FormatError or TruncatedFileError naming the key.
 */
export async function readMetadata(cursor, entries) {
    if (entries > limits.entries)
        throw cursor.error("metadata count", `${entries} is more than ${limits.entries}`);
    cursor.need(entries * shortestEntry, "metadata count");
    const values = new Map();
    const taken = { strings: 0, arrays: 0 };
    for (let i = 0; i < entries; i++) {
        const key = await cursor.string(`metadata key ${i}`, limits.keyBytes);
        const field = `metadata ${JSON.stringify(key.slice(0, 80))}`;
        if (values.has(key))
            throw cursor.error(field, "the key stands twice");
        values.set(key, await readValue(cursor, field, taken));
    }
    return new GgufMetadata(values, cursor.source.name);
}
async function readValue(cursor, field, taken) {
    const type = await readType(cursor, field);
    if (type === "array")
        return readArray(cursor, field, taken, 1);
    if (type === "string")
        return { type, value: await cursor.string(field, limits.stringBytes) };
    if (type === "bool")
        return { type, value: (await readBooleans(cursor, 1, field))[0] === 1 };
    return { type, value: (await readNumbers(cursor, type, 1, field))[0] };
}
async function readArray(cursor, field, taken, depth) {
    const of = await readType(cursor, field);
    if (of === "array") {
        if (depth >= limits.depth)
            throw cursor.error(field, `arrays nested more than ${limits.depth} deep`);
        const count = await cursor.count(field, 12, limits.arrays - taken.arrays);
        taken.arrays += count;
        const value = [];
        for (let i = 0; i < count; i++)
            value.push(await readArray(cursor, field, taken, depth + 1));
        return { type: "array", of, value };
    }
    if (of === "string") {
        const count = await cursor.count(field, 8, limits.strings - taken.strings);
        taken.strings += count;
        return { type: "array", of, value: await cursor.strings(count, field, limits.stringBytes) };
    }
    if (of === "bool") {
        const count = await cursor.count(field, 1, limits.arrayBytes);
        return { type: "array", of, value: await readBooleans(cursor, count, field) };
    }
    const count = await cursor.count(field, numberBytes[of], limits.arrayBytes / numberBytes[of]);
    return { type: "array", of, value: await readNumbers(cursor, of, count, field) };
}
async function readType(cursor, field) {
    const number = await cursor.u32(field);
    const type = elementTypes[number];
    if (type === undefined)
        throw cursor.error(field, `there is no value type ${number}`);
    return type;
}
async function readBooleans(cursor, count, field) {
    const bytes = await cursor.bytes(count, field);
    for (const byte of bytes)
        if (byte > 1)
            throw cursor.error(field, `a boolean must be 0 or 1, not ${byte}`);
    return bytes;
}
async function readNumbers(cursor, type, count, field) {
    const { buffer } = await cursor.bytes(count * numberBytes[type], field);
    switch (type) {
        case "u8":
            return new Uint8Array(buffer);
        case "i8":
            return new Int8Array(buffer);
        case "u16":
            return new Uint16Array(buffer);
        case "i16":
            return new Int16Array(buffer);
        case "u32":
            return new Uint32Array(buffer);
        case "i32":
            return new Int32Array(buffer);
        case "f32":
            return new Float32Array(buffer);
        case "f64":
            return new Float64Array(buffer);
        case "u64":
            return asDoubles(new BigUint64Array(buffer));
        case "i64":
            return asDoubles(new BigInt64Array(buffer));
    }
}
const largestSafe = BigInt(Number.MAX_SAFE_INTEGER);
/** The same integers as doubles, in the same memory, where doubles hold them all exactly. */
function asDoubles(integers) {
    for (const integer of integers)
        if (integer > largestSafe || integer < -largestSafe)
            return integers;
    const doubles = new Float64Array(integers.buffer);
    for (let i = 0; i < integers.length; i++)
        doubles[i] = Number(integers[i]);
    return doubles;
}
