/**
 * How token records lie in a file:
 *
 *     magic            16 bytes
 *     ids              2 or 4 bytes each, those of all records end to end, then zeros up to a multiple of 8
 *     index            hashes (f64), lengths, splits, bytes (u32), heldOut (u8): one array after the other
 *     description      JSON: key, width, count, tokens
 *     its length       u32
 *     SHA-256          of everything before
 *
 * Numbers are little-endian. A file is used only when its key, its size and its digest are what they must be.
 */
import { type RecordIndex, startsOf, type TokenRecords } from "./records.js";

export const magic = new TextEncoder().encode("hitherto tokens\x01");

export const digestLength = 32;

/** Bytes after the description. */
export const trailerLength = 4 + digestLength;

/** Longest description that is believed. */
export const maxDescription = 4096;

export interface ShardDescription {
  /** What the ids were made from: a hash of sources, tokenizer and settings. */
  readonly key: string;
  /** Bytes per id. */
  readonly width: 2 | 4;
  readonly count: number;
  readonly tokens: number;
}

/** Ids of a vocabulary fit into so many bytes. */
export function widthFor(vocabSize: number): 2 | 4 {
  return vocabSize <= 2 ** 16 ? 2 : 4;
}

const bytesPerRecord = 8 + 4 + 4 + 4 + 1;

/** Where the index begins, and where it ends. */
export function indexRange({ width, count, tokens }: ShardDescription): readonly [from: number, to: number] {
  const from = Math.ceil((magic.length + tokens * width) / 8) * 8;
  return [from, from + count * bytesPerRecord];
}

export function encodeIndex(index: RecordIndex): Uint8Array[] {
  const arrays = [index.hashes, index.lengths, index.splits, index.bytes, index.heldOut];
  return arrays.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
}

/** @param bytes - the index, beginning where `buffer` begins */
export function decodeIndex(bytes: Uint8Array<ArrayBuffer>, count: number): RecordIndex {
  const { buffer, byteOffset } = bytes;
  let at = byteOffset;
  const next = <T>(make: new (buffer: ArrayBuffer, offset: number, length: number) => T, size: number): T => {
    const array = new make(buffer, at, count);
    at += size * count;
    return array;
  };
  return {
    hashes: next(Float64Array, 8),
    lengths: next(Uint32Array, 4),
    splits: next(Uint32Array, 4),
    bytes: next(Uint32Array, 4),
    heldOut: next(Uint8Array, 1),
  };
}

/** The description, or undefined for anything that is none or does not agree with the file's size. */
export function readDescription(json: string, size: number): ShardDescription | undefined {
  let value: ShardDescription;
  try {
    value = JSON.parse(json);
  } catch {
    return undefined;
  }
  const { key, width, count, tokens } = value ?? {};
  const whole = (number: unknown) => Number.isSafeInteger(number) && (number as number) >= 0;
  if (typeof key !== "string" || (width !== 2 && width !== 4) || !whole(count) || !whole(tokens)) return undefined;
  const length = new TextEncoder().encode(json).length;
  return indexRange(value)[1] + length + trailerLength === size ? { key, width, count, tokens } : undefined;
}

/** Records whose ids are read from bytes at a place in a file. */
export function recordsFrom(
  { count, width }: ShardDescription,
  index: RecordIndex,
  readBytes: (offset: number, into: Uint8Array) => void,
  close: () => Promise<void>,
): TokenRecords {
  let scratch = new Uint8Array(4096);
  const read = (from: number, into: Int32Array): void => {
    const offset = magic.length + from * width;
    if (width === 4) {
      readBytes(offset, new Uint8Array(into.buffer, into.byteOffset, into.byteLength));
      return;
    }
    if (scratch.length < into.length * 2) scratch = new Uint8Array(into.length * 2);
    readBytes(offset, scratch.subarray(0, into.length * 2));
    into.set(new Uint16Array(scratch.buffer, 0, into.length));
  };
  return { ...index, count, starts: startsOf(index.lengths), read, close };
}
