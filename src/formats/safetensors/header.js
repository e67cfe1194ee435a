/**
 * The header of a safetensors file: JSON that gives every tensor its dtype, shape and place.
 *
 * Owns the checks of the header in itself and against the size of the data. The format's own rules, which this
 * follows: github.com/huggingface/safetensors, README "Format" and `TensorInfo`/`Metadata::validate`.
 */
import { FormatError, TruncatedFileError } from "../../core/errors.js";
import { storageBytes } from "../../core/storage.js";
import { JsonCursor } from "../json-cursor.js";
import { elementCount } from "../shape.js";
import { storageOfDtype } from "./dtypes.js";
/** Longest header read. The reference allows 100 MB; the longest published ones are near 1 MB. */
export const longestHeader = 16 * 2 ** 20;
/** Most tensors in one file; a model with more is published in shards. */
const mostTensors = 131_072;
/**
 * Reads and checks a header.
 *
 * @param json - the header's text.
 * @param dataBytes - size of the file after the header.
 * @param path - for errors.
 * @throws FormatError or UnsupportedError naming the tensor and field, TruncatedFileError when the file ends early.
 */
export function parseHeader(json, dataBytes, path) {
    const metadata = new Map();
    const entries = [];
    if (json[0] !== "{")
        throw new FormatError("safetensors", "header", "must begin with {", path);
    const cursor = new JsonCursor(json, "safetensors", "header", path);
    const member = (key) => {
        if (key !== "__metadata__")
            entries.push(parseEntry(cursor, key));
        else
            cursor.object(key, (name) => metadata.set(name, cursor.string(`__metadata__ ${label(name)}`)));
    };
    cursor.object("header", member, mostTensors);
    cursor.end();
    checkExtents(entries, dataBytes, path);
    return { metadata, entries };
}
function parseEntry(cursor, name) {
    const tensor = `tensor ${label(name)}`;
    let dtype;
    let shape;
    let offsets;
    cursor.object(tensor, (key) => {
        if (key === "dtype")
            dtype = cursor.string(`${tensor} dtype`);
        else if (key === "shape")
            shape = integers(cursor, `${tensor} shape`, 64);
        else if (key === "data_offsets")
            offsets = integers(cursor, `${tensor} data_offsets`, 2);
        else
            cursor.fail(tensor, `unknown key ${label(key)}`);
    });
    if (name === "" || /\p{Cs}/u.test(name))
        cursor.fail(tensor, "a tensor's name must be text, and not empty");
    if (dtype === undefined)
        cursor.fail(`${tensor} dtype`, "missing");
    if (shape === undefined)
        cursor.fail(`${tensor} shape`, "missing");
    if (offsets?.length !== 2)
        cursor.fail(`${tensor} data_offsets`, "two offsets expected");
    return checkEntry(cursor, { name, storage: storageOfDtype(dtype, name), shape, start: offsets[0], end: offsets[1] });
}
function checkEntry(cursor, entry) {
    const elements = elementCount(entry.shape);
    if (elements === undefined)
        cursor.fail(`tensor ${label(entry.name)} shape`, `[${entry.shape}] is no possible size`);
    const expected = storageBytes(entry.storage, elements);
    if (entry.start < 0 || entry.end - entry.start !== expected) {
        const claim = `[${entry.start}, ${entry.end}] do not span the ${expected} bytes of [${entry.shape}] ${entry.storage}`;
        cursor.fail(`tensor ${label(entry.name)} data_offsets`, claim);
    }
    return entry;
}
function integers(cursor, field, most) {
    const values = [];
    cursor.array(field, () => {
        if (values.push(cursor.integer(field)) > most)
            cursor.fail(field, `more than ${most} numbers`);
    });
    return values;
}
/** The tensors must fill the data exactly, from its first byte to its last, without a gap or an overlap. */
function checkExtents(entries, dataBytes, path) {
    let filled = 0;
    const inPlace = entries.slice().sort((a, b) => a.start - b.start || a.end - b.end);
    for (const { name, start, end } of inPlace) {
        const field = `tensor ${label(name)} data_offsets`;
        if (end > dataBytes)
            throw new TruncatedFileError("safetensors", field, end, dataBytes, path);
        if (start < filled) {
            throw new FormatError("safetensors", field, `overlap the tensor before (${start} < ${filled})`, path);
        }
        if (start > filled)
            throw new FormatError("safetensors", field, `leave a gap after byte ${filled}`, path);
        filled = end;
    }
    if (filled < dataBytes) {
        throw new FormatError("safetensors", "data", `${dataBytes - filled} bytes belong to no tensor`, path);
    }
}
function label(name) {
    return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
}
