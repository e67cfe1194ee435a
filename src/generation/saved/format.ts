/**
 * The file of a saved session, version 1. Little-endian.
 *
 *     0   8   "HITHSESS"
 *     8   4   version
 *     12  4   H, bytes of the header
 *     16  4   CRC-32 of the header
 *     20  4   CRC-32 of all that follows it
 *     24  H   the header: JSON, UTF-8, filled up with spaces to a multiple of 8
 *     …       sections, as the header says: token ids i32; logits f32; of an encoder-decoder model the encoder's output
 *             f32 and its blocks; the blocks of the cache. Blocks as `CacheMemory.readBlock` gives them.
 *
 * A file believes nothing of itself: sizes that the header claims are held against the file's, and against the model's,
 * before anything is made of them.
 */
import { crc32 } from "../../core/checksum.js";
import { FormatError, TruncatedFileError, UnsupportedError } from "../../core/errors.js";

const magic = new TextEncoder().encode("HITHSESS");
const version = 1;
const fixedBytes = 24;
export const sessionFormat = "hitherto session";

/** What the header says. Of a file that was read, only that the values have these types. */
export interface SavedHeader {
  /** `Network.fingerprint` of the model. */
  readonly model: string;
  /** That of the session's adapter. */
  readonly adapter: string | null;
  /** What the bytes of a block mean, and what computed them. */
  readonly layout: string;
  readonly blockBytes: number;
  readonly crossBlockBytes: number;
  readonly blockSize: number;
  /** Token ids. */
  readonly tokens: number;
  /** Positions that are in the blocks; from the first on. */
  readonly positions: number;
  /** Positions that no shift has moved; null: all. */
  readonly exactLength: number | null;
  readonly discarded: number;
  readonly promptLength: number | null;
  readonly seed: number;
  /** Mirostat: position and limit. */
  readonly limits: readonly (readonly [number, number])[];
  readonly options: unknown;
  /** Names of the user's own processors, which have to be given again. */
  readonly processors: readonly string[];
  readonly constraint: { readonly source: unknown; readonly from: number; readonly atTextStart: boolean } | null;
  /** Logits after the last token, where they are there. */
  readonly logits: { readonly count: number; readonly logSumExp: number; readonly likeliest: number } | null;
  /** The source of an encoder-decoder model: its tokens, and floats per token of the encoder's output. */
  readonly source: { readonly tokens: number; readonly width: number } | null;
}

/** A saved session: what is in the file, in its order. */
export interface SavedFile {
  readonly header: SavedHeader;
  readonly ids: Int32Array;
  readonly logits: Float32Array | undefined;
  readonly sourceOutput: Float32Array | undefined;
  readonly sourceBlocks: readonly Uint8Array[];
  readonly blocks: readonly Uint8Array[];
}

export function writeSaved({ header, ids, logits, sourceOutput, sourceBlocks, blocks }: SavedFile): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  const floats = [ids, logits, sourceOutput].filter((section) => section !== undefined);
  const sections = floats.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  sections.push(...sourceBlocks, ...blocks);
  const size = sections.reduce((sum, { length }) => sum + length, fixedBytes + headerBytes);
  const file = new Uint8Array(size);
  file.set(magic);
  file.fill(0x20, fixedBytes, fixedBytes + headerBytes);
  file.set(text, fixedBytes);
  let at = fixedBytes + headerBytes;
  for (const section of sections) {
    file.set(section, at);
    at += section.length;
  }
  const view = new DataView(file.buffer);
  view.setUint32(8, version, true);
  view.setUint32(12, headerBytes, true);
  view.setUint32(16, crc32(file.subarray(fixedBytes, fixedBytes + headerBytes)), true);
  view.setUint32(20, crc32(file.subarray(fixedBytes + headerBytes)), true);
  return file;
}

/** @throws FormatError, TruncatedFileError, UnsupportedError for another version */
export function readSaved(bytes: Uint8Array): SavedFile {
  // Node's buffers have a `slice` that copies nothing.
  const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < fixedBytes) throw new TruncatedFileError(sessionFormat, "header", fixedBytes, file.length);
  if (magic.some((byte, i) => file[i] !== byte)) fail("magic", "this is no saved session");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const found = view.getUint32(8, true);
  if (found !== version) throw new UnsupportedError("version of a saved session", String(found), [String(version)]);
  const start = fixedBytes + view.getUint32(12, true);
  if (start > file.length) throw new TruncatedFileError(sessionFormat, "header", start, file.length);
  const headerBytes = file.subarray(fixedBytes, start);
  if (crc32(headerBytes) !== view.getUint32(16, true)) fail("header", "its checksum says that it was changed");
  const header = parseHeader(headerBytes);
  const sections = new Sections(file, start);
  const ids = sections.integers("tokens", header.tokens);
  const logits = header.logits === null ? undefined : sections.floats("logits", header.logits.count);
  const { source, blockSize } = header;
  const outputs = source && sections.floats("source", source.tokens * source.width);
  const sourceBlocks = sections.blocks("source blocks", source?.tokens ?? 0, blockSize, header.crossBlockBytes);
  const blocks = sections.blocks("blocks", header.positions, blockSize, header.blockBytes);
  if (sections.at !== file.length) fail("blocks", `${file.length - sections.at} bytes follow them`);
  if (crc32(file.subarray(start)) !== view.getUint32(20, true)) fail("blocks", "their checksum says they were changed");
  return { header, ids, logits, sourceOutput: outputs ?? undefined, sourceBlocks, blocks };
}

/** Takes sections off a file, one after another, as far as it goes. */
class Sections {
  constructor(
    readonly file: Uint8Array,
    public at: number,
  ) {}

  integers(field: string, count: number): Int32Array {
    return new Int32Array(this.#take(field, 4 * count).slice().buffer);
  }

  floats(field: string, count: number): Float32Array {
    return new Float32Array(this.#take(field, 4 * count).slice().buffer);
  }

  blocks(field: string, positions: number, blockSize: number, blockBytes: number): Uint8Array[] {
    const count = Math.ceil(positions / blockSize);
    if (count === 0) return [];
    const all = this.#take(field, count * blockBytes);
    if (blockBytes === 0) fail(field, "are empty");
    return Array.from({ length: count }, (_, i) => all.subarray(i * blockBytes, (i + 1) * blockBytes));
  }

  #take(field: string, bytes: number): Uint8Array {
    const end = this.at + bytes;
    if (end > this.file.length) throw new TruncatedFileError(sessionFormat, field, end, this.file.length);
    this.at = end;
    return this.file.subarray(end - bytes, end);
  }
}

function fail(field: string, problem: string): never {
  throw new FormatError(sessionFormat, field, problem);
}

function parseHeader(bytes: Uint8Array): SavedHeader {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    fail("header", "is no JSON");
  }
  const fields = objectOf("header", header);
  for (const name of ["model", "layout"]) if (typeof fields[name] !== "string") fail(name, "must be a text");
  if (fields.adapter !== null && typeof fields.adapter !== "string") fail("adapter", "must be a text");
  for (const name of ["blockBytes", "crossBlockBytes", "tokens", "positions", "discarded", "seed"]) {
    count(name, fields[name]);
  }
  if (count("blockSize", fields.blockSize) === 0) fail("blockSize", "must be from 1 on");
  for (const name of ["exactLength", "promptLength"]) if (fields[name] !== null) count(name, fields[name]);
  if (!Array.isArray(fields.limits) || !fields.limits.every(isLimit)) fail("limits", "must be pairs of numbers");
  const { processors, constraint, logits, source } = fields;
  if (!Array.isArray(processors) || !processors.every((name) => typeof name === "string")) {
    fail("processors", "must be a list of names");
  }
  if (constraint !== null) {
    const { from, atTextStart } = objectOf("constraint", constraint);
    count("constraint.from", from);
    if (typeof atTextStart !== "boolean") fail("constraint.atTextStart", "must be true or false");
  }
  if (logits !== null) {
    const { count: size, logSumExp, likeliest } = objectOf("logits", logits);
    count("logits.count", size);
    count("logits.likeliest", likeliest);
    if (typeof logSumExp !== "number") fail("logits.logSumExp", "must be a number");
  }
  if (source !== null) {
    const { tokens, width } = objectOf("source", source);
    if (count("source.tokens", tokens) === 0 || count("source.width", width) === 0) fail("source", "is empty");
  }
  return fields as unknown as SavedHeader;
}

function isLimit(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && Number.isSafeInteger(value[0]) && typeof value[1] === "number";
}

function objectOf(field: string, value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) fail(field, "must be an object");
  return value as Record<string, unknown>;
}

function count(field: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) fail(field, "must be a whole number from 0 on");
  return value as number;
}
