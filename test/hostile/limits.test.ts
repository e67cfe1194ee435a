/** Counts that the file's size would allow, for the file is (or claims to be) enormous: refused by limits of our own. */
import { describe, expect, test } from "vitest";
import type { ByteSource } from "../../src/core/checkpoint.js";
import { MemorySource, readGguf, readLlama2c, readSafetensors } from "../../src/formats/index.js";

/** A sparse file of a petabyte: `head`, then zeros. */
class SparseSource implements ByteSource {
  readonly name = "sparse";
  readonly size = 2 ** 50;

  constructor(private readonly head: Uint8Array) {}

  async read(offset: number, into: Uint8Array): Promise<void> {
    into.fill(0);
    if (offset < this.head.length) into.set(this.head.subarray(offset, offset + into.length));
  }

  async close(): Promise<void> {}
}

/** Little-endian fields: a number is a u32, a bigint a u64, text is bytes. */
function bytesOf(...fields: (number | bigint | string)[]): Uint8Array {
  const bytes = new Uint8Array(1024);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of fields) {
    if (typeof field === "string") at += new TextEncoder().encodeInto(field, bytes.subarray(at)).written;
    else if (typeof field === "bigint") view.setBigUint64(at, field, true);
    else view.setUint32(at, field, true);
    at += typeof field === "bigint" ? 8 : typeof field === "number" ? 4 : 0;
  }
  return bytes;
}

const arrayOf = (type: number, count: bigint) => bytesOf("GGUF", 3, 0n, 1n, 1n, "k", 9, type, count);

describe("an enormous GGUF file may not claim", () => {
  const cases: [string, Uint8Array, RegExp][] = [
    ["a million tensors", bytesOf("GGUF", 3, 1_000_000n, 0n), /tensor count/],
    ["a million entries of metadata", bytesOf("GGUF", 3, 0n, 1_000_000n), /metadata count/],
    ["a key of a megabyte", bytesOf("GGUF", 3, 0n, 1n, 1_000_000n), /metadata key 0/],
    ["a billion numbers in an array", arrayOf(6, 10n ** 9n), /metadata "k"/],
    ["a billion booleans", arrayOf(7, 10n ** 9n), /metadata "k"/],
    ["ten million strings", arrayOf(8, 10n ** 7n), /metadata "k"/],
    ["a million arrays in an array", arrayOf(9, 10n ** 6n), /metadata "k"/],
    [
      "a string of a gigabyte",
      bytesOf("GGUF", 3, 0n, 1n, 1n, "k", 8, 2n ** 30n),
      /metadata "k": a string of 1073741824/,
    ],
    [
      "arrays in arrays without end",
      bytesOf("GGUF", 3, 0n, 1n, 1n, "k", 9, 9, 1n, 9, 1n, 9, 1n, 9, 1n, 9, 1n),
      /nested/,
    ],
  ];
  test.each(cases)("%s", async (_, head, message) => {
    const before = process.memoryUsage().arrayBuffers;
    const refused = readGguf(new SparseSource(head));
    await expect(refused).rejects.toMatchObject({ code: "BAD_FORMAT", message: expect.stringMatching(message) });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
  });
});

describe("an enormous file of another format may not claim", () => {
  test("a safetensors header of a gigabyte", async () => {
    const refused = readSafetensors(new SparseSource(bytesOf(2n ** 30n)));
    await expect(refused).rejects.toMatchObject({ code: "BAD_FORMAT", field: "header length" });
  });

  test("a million llama2.c layers", async () => {
    const refused = readLlama2c(new SparseSource(bytesOf(2, 1, 1_000_000, 1, 1, 1, 1)));
    await expect(refused).rejects.toMatchObject({ code: "BAD_FORMAT", field: "layerCount" });
  });
});

describe("a safetensors header", () => {
  const header = (json: string) => {
    const bytes = new Uint8Array(8 + json.length);
    bytes.set(bytesOf(BigInt(json.length)).subarray(0, 8));
    new TextEncoder().encodeInto(json, bytes.subarray(8));
    return readSafetensors(new MemorySource(bytes));
  };
  const members = (count: number, value: string) => Array.from({ length: count }, (_, i) => `"${i}":${value}`).join();

  test("may have many members, but not without end", async () => {
    const empty = '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}';
    expect((await header(`{${members(50_000, empty)}}`)).tensors.size).toBe(50_000);
    await expect(header(`{${members(131_073, empty)}}`)).rejects.toThrow(/more than 131072 members/);
    await expect(header(`{"__metadata__":{${members(65_537, '""')}}}`)).rejects.toThrow(/more than 65536 members/);
  });

  test("may not nest without end", async () => {
    await expect(header(`{"a":${"[".repeat(100_000)}`)).rejects.toMatchObject({ code: "BAD_FORMAT" });
  });
});
