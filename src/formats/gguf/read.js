import { FormatError, TruncatedFileError, UnsupportedError } from "../../core/errors.js";
import { storageBytes, storageTypes } from "../../core/storage.js";
import { elementCount, findOverlap } from "../shape.js";
import { SourceTensor } from "../stored-tensor.js";
import { readHead, refuseOtherKinds, WrongFileError } from "../wrong-file.js";
import { GgufCursor } from "./cursor.js";
import { readMetadata } from "./metadata.js";
import { foreignTypeName, storageByNumber } from "./types.js";
/** Tensors in one file; real files have a few thousand at most. */
const mostTensors = 131_072;
const longestName = 65_535;
/** ggml's own limit. */
const mostDimensions = 4;
/** Bytes of the shortest tensor entry: an empty name, no dimensions, type and offset. */
const shortestEntry = 8 + 4 + 4 + 8;
/**
 * Opens a GGUF file: reads the header, leaves the tensors where they are.
 *
 * @param source - owned by the result from now on: its `close` closes it.
 * @throws WrongFileError, TruncatedFileError, FormatError naming the field, UnsupportedError naming tensor and type.
 */
export async function readGguf(source) {
    refuseOtherKinds(source, await readHead(source), "gguf", "a GGUF file");
    const cursor = new GgufCursor(source);
    if ((await cursor.u32("magic")) !== 0x46554747) {
        throw new WrongFileError(source.name, "a GGUF file", "a file that does not begin with GGUF", "check what it is");
    }
    const version = checkVersion(await cursor.u32("version"));
    const tensorCount = await cursor.count("tensor count", shortestEntry, mostTensors);
    const metadata = await readMetadata(cursor, Number(await cursor.u64("metadata count")));
    const alignment = checkAlignment(metadata, cursor);
    const entries = [];
    for (let i = 0; i < tensorCount; i++)
        entries.push(await readEntry(cursor, i));
    const dataStart = Math.ceil(cursor.position / alignment) * alignment;
    checkExtents(entries, source, dataStart, alignment);
    const close = () => source.close();
    return {
        version,
        metadata,
        alignment,
        tensors: locate(entries, source, dataStart),
        close,
        [Symbol.asyncDispose]: close,
    };
}
function checkVersion(version) {
    if (version === 2 || version === 3)
        return version;
    const swapped = ((version & 0xff) << 24) | ((version & 0xff00) << 8) | ((version >>> 8) & 0xff00) | (version >>> 24);
    if (swapped > 0 && swapped < 16)
        throw new UnsupportedError("GGUF byte order", "big-endian", ["little-endian"]);
    throw new UnsupportedError("GGUF version", String(version), ["2", "3"]);
}
function checkAlignment(metadata, cursor) {
    const alignment = metadata.number("general.alignment", 32);
    if (!Number.isSafeInteger(alignment) || alignment < 1 || alignment > 2 ** 20 || (alignment & (alignment - 1)) !== 0) {
        throw cursor.error("metadata general.alignment", `${alignment} is no power of two up to 2^20`);
    }
    return alignment;
}
async function readEntry(cursor, index) {
    const name = await cursor.string(`tensor ${index} name`, longestName);
    const tensor = `tensor ${JSON.stringify(name.slice(0, 80))}`;
    const rank = await cursor.u32(`${tensor} dimension count`);
    if (rank > mostDimensions)
        throw cursor.error(`${tensor} dimension count`, `${rank} is more than ${mostDimensions}`);
    const shape = [];
    for (let i = 0; i < rank; i++)
        shape.unshift(Number(await cursor.u64(`${tensor} shape`)));
    const storage = storageOf(await cursor.u32(`${tensor} type`), tensor);
    const offset = Number(await cursor.u64(`${tensor} offset`));
    return { name, shape, storage, byteLength: bytesOf(shape, storage, tensor, cursor), offset };
}
function storageOf(number, tensor) {
    const storage = storageByNumber.get(number);
    if (storage !== undefined)
        return storage;
    throw new UnsupportedError(`${tensor}: GGUF tensor type`, foreignTypeName(number), [...storageByNumber.values()]);
}
function bytesOf(shape, storage, tensor, cursor) {
    const elements = elementCount(shape);
    if (elements === undefined)
        throw cursor.error(`${tensor} shape`, `[${shape}] is no possible size`);
    const { blockSize } = storageTypes[storage];
    if ((shape.at(-1) ?? 1) % blockSize !== 0) {
        throw cursor.error(`${tensor} shape`, `rows of ${shape.at(-1) ?? 1} are not whole blocks of ${blockSize} (${storage})`);
    }
    return storageBytes(storage, elements);
}
function checkExtents(entries, source, dataStart, alignment) {
    const names = new Set();
    const extents = [];
    for (const { name, offset, byteLength } of entries) {
        const field = `tensor ${JSON.stringify(name.slice(0, 80))}`;
        const fail = (part, problem) => new FormatError("GGUF", `${field} ${part}`, problem, source.name);
        if (names.has(name))
            throw fail("name", "stands twice");
        names.add(name);
        if (!Number.isSafeInteger(offset) || offset % alignment !== 0) {
            throw fail("offset", `${offset} is no multiple of the alignment ${alignment}`);
        }
        const end = dataStart + offset + byteLength;
        if (end > source.size)
            throw new TruncatedFileError("GGUF", `${field} data`, end, source.size, source.name);
        extents.push({ name, start: offset, end: offset + byteLength });
    }
    const overlap = findOverlap(extents);
    if (overlap === undefined)
        return;
    const [first, second] = overlap.map(({ name }) => JSON.stringify(name.slice(0, 80)));
    throw new FormatError("GGUF", `tensor ${second} offset`, `overlaps tensor ${first}`, source.name);
}
function locate(entries, source, dataStart) {
    const tensors = new Map();
    for (const { name, shape, storage, byteLength, offset } of entries) {
        tensors.set(name, new SourceTensor(name, shape, storage, byteLength, source, dataStart + offset));
    }
    return tensors;
}
