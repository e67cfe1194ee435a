/**
 * Reading GGUF version 2 and 3, little endian.
 *
 * The header is metadata, then one entry per tensor (name, sizes with the innermost first, type, offset), then the
 * data at a multiple of the alignment. github.com/ggml-org/ggml, docs/gguf.md.
 */
import type { ByteSource, StoredTensor } from "../../core/checkpoint.js";
import { FormatError, TruncatedFileError, UnsupportedError } from "../../core/errors.js";
import { type StorageType, storageBytes, storageTypes } from "../../core/storage.js";
import { type Extent, elementCount, findOverlap } from "../shape.js";
import { SourceTensor, type TensorFile } from "../stored-tensor.js";
import { readHead, refuseOtherKinds, WrongFileError } from "../wrong-file.js";
import { GgufCursor } from "./cursor.js";
import { type GgufMetadata, readMetadata } from "./metadata.js";
import { foreignTypeName, storageByNumber } from "./types.js";

/** Tensors in one file; real files have a few thousand at most. */
const mostTensors = 131_072;
const longestName = 65_535;
/** ggml's own limit. */
const mostDimensions = 4;
/** Bytes of the shortest tensor entry: an empty name, no dimensions, type and offset. */
const shortestEntry = 8 + 4 + 4 + 8;

export interface GgufFile extends TensorFile {
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** Where tensor data may begin: multiples of this many bytes. */
  readonly alignment: number;
}

/** A tensor as the header states it; `shape` outermost first, `offset` in bytes from the start of the data. */
interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly storage: StorageType;
  readonly byteLength: number;
  readonly offset: number;
}

/**
 * Opens a GGUF file: reads the header, leaves the tensors where they are.
 *
 * @param source - owned by the result from now on: its `close` closes it.
 * @throws WrongFileError, TruncatedFileError, FormatError naming the field, UnsupportedError naming tensor and type.
 */
export async function readGguf(source: ByteSource): Promise<GgufFile> {
  refuseOtherKinds(source, await readHead(source), "gguf", "a GGUF file");
  const cursor = new GgufCursor(source);
  if ((await cursor.u32("magic")) !== 0x46554747) {
    throw new WrongFileError(source.name, "a GGUF file", "a file that does not begin with GGUF", "check what it is");
  }
  const version = checkVersion(await cursor.u32("version"));
  const tensorCount = await cursor.count("tensor count", shortestEntry, mostTensors);
  const metadata = await readMetadata(cursor, Number(await cursor.u64("metadata count")));
  const alignment = checkAlignment(metadata, cursor);
  const entries: TensorEntry[] = [];
  for (let i = 0; i < tensorCount; i++) entries.push(await readEntry(cursor, i));
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

function checkVersion(version: number): number {
  if (version === 2 || version === 3) return version;
  const swapped = ((version & 0xff) << 24) | ((version & 0xff00) << 8) | ((version >>> 8) & 0xff00) | (version >>> 24);
  if (swapped > 0 && swapped < 16) throw new UnsupportedError("GGUF byte order", "big-endian", ["little-endian"]);
  throw new UnsupportedError("GGUF version", String(version), ["2", "3"]);
}

function checkAlignment(metadata: GgufMetadata, cursor: GgufCursor): number {
  const alignment = metadata.number("general.alignment", 32);
  if (!Number.isSafeInteger(alignment) || alignment < 1 || alignment > 2 ** 20 || (alignment & (alignment - 1)) !== 0) {
    throw cursor.error("metadata general.alignment", `${alignment} is no power of two up to 2^20`);
  }
  return alignment;
}

async function readEntry(cursor: GgufCursor, index: number): Promise<TensorEntry> {
  const name = await cursor.string(`tensor ${index} name`, longestName);
  const tensor = `tensor ${JSON.stringify(name.slice(0, 80))}`;
  const rank = await cursor.u32(`${tensor} dimension count`);
  if (rank > mostDimensions) throw cursor.error(`${tensor} dimension count`, `${rank} is more than ${mostDimensions}`);
  const shape: number[] = [];
  for (let i = 0; i < rank; i++) shape.unshift(Number(await cursor.u64(`${tensor} shape`)));
  const storage = storageOf(await cursor.u32(`${tensor} type`), tensor);
  const offset = Number(await cursor.u64(`${tensor} offset`));
  return { name, shape, storage, byteLength: bytesOf(shape, storage, tensor, cursor), offset };
}

function storageOf(number: number, tensor: string): StorageType {
  const storage = storageByNumber.get(number);
  if (storage !== undefined) return storage;
  throw new UnsupportedError(`${tensor}: GGUF tensor type`, foreignTypeName(number), [...storageByNumber.values()]);
}

function bytesOf(shape: readonly number[], storage: StorageType, tensor: string, cursor: GgufCursor): number {
  const elements = elementCount(shape);
  if (elements === undefined) throw cursor.error(`${tensor} shape`, `[${shape}] is no possible size`);
  const { blockSize } = storageTypes[storage];
  if ((shape.at(-1) ?? 1) % blockSize !== 0) {
    throw cursor.error(
      `${tensor} shape`,
      `rows of ${shape.at(-1) ?? 1} are not whole blocks of ${blockSize} (${storage})`,
    );
  }
  return storageBytes(storage, elements);
}

function checkExtents(entries: readonly TensorEntry[], source: ByteSource, dataStart: number, alignment: number): void {
  const names = new Set<string>();
  const extents: Extent[] = [];
  for (const { name, offset, byteLength } of entries) {
    const field = `tensor ${JSON.stringify(name.slice(0, 80))}`;
    const fail = (part: string, problem: string) => new FormatError("GGUF", `${field} ${part}`, problem, source.name);
    if (names.has(name)) throw fail("name", "stands twice");
    names.add(name);
    if (!Number.isSafeInteger(offset) || offset % alignment !== 0) {
      throw fail("offset", `${offset} is no multiple of the alignment ${alignment}`);
    }
    const end = dataStart + offset + byteLength;
    if (end > source.size) throw new TruncatedFileError("GGUF", `${field} data`, end, source.size, source.name);
    extents.push({ name, start: offset, end: offset + byteLength });
  }
  const overlap = findOverlap(extents);
  if (overlap === undefined) return;
  const [first, second] = overlap.map(({ name }) => JSON.stringify(name.slice(0, 80)));
  throw new FormatError("GGUF", `tensor ${second} offset`, `overlaps tensor ${first}`, source.name);
}

function locate(entries: readonly TensorEntry[], source: ByteSource, dataStart: number): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const { name, shape, storage, byteLength, offset } of entries) {
    tensors.set(name, new SourceTensor(name, shape, storage, byteLength, source, dataStart + offset));
  }
  return tensors;
}
