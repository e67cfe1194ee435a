import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithData } from "../../../test/data.js";
import type { StoredTensor } from "../../core/checkpoint.js";
import { type StorageType, storageBytes } from "../../core/storage.js";
import { MemorySink } from "../byte-sink.js";
import { MemorySource } from "../memory-source.js";
import { memoryTensor, readTensorBytes } from "../stored-tensor.js";
import { readGguf } from "./read.js";
import { type GgufValue, numberByStorage } from "./types.js";
import { writeGguf } from "./write.js";

const everyValue: [string, GgufValue][] = [
  ["u8", { type: "u8", value: 255 }],
  ["i8", { type: "i8", value: -128 }],
  ["u16", { type: "u16", value: 65535 }],
  ["i16", { type: "i16", value: -32768 }],
  ["u32", { type: "u32", value: 2 ** 32 - 1 }],
  ["i32", { type: "i32", value: -(2 ** 31) }],
  ["u64 small", { type: "u64", value: 2 ** 53 - 1 }],
  ["u64 large", { type: "u64", value: 2n ** 64n - 1n }],
  ["i64 small", { type: "i64", value: -5 }],
  ["i64 large", { type: "i64", value: -(2n ** 63n) }],
  ["f32", { type: "f32", value: Math.fround(0.1) }],
  ["f64", { type: "f64", value: 0.1 }],
  ["bool", { type: "bool", value: true }],
  ["string", { type: "string", value: "Grüße 🙂 \u0000 人" }],
  ["u8s", { type: "array", of: "u8", value: Uint8Array.of(0, 255) }],
  ["i8s", { type: "array", of: "i8", value: Int8Array.of(-128, 127) }],
  ["u16s", { type: "array", of: "u16", value: Uint16Array.of(0, 65535) }],
  ["i16s", { type: "array", of: "i16", value: Int16Array.of(-32768) }],
  ["u32s", { type: "array", of: "u32", value: Uint32Array.of(2 ** 32 - 1) }],
  ["i32s", { type: "array", of: "i32", value: Int32Array.of(-(2 ** 31), 3) }],
  ["u64s", { type: "array", of: "u64", value: Float64Array.of(7, 2 ** 53 - 1) }],
  ["u64s large", { type: "array", of: "u64", value: BigUint64Array.of(7n, 2n ** 60n) }],
  ["i64s", { type: "array", of: "i64", value: Float64Array.of(-7) }],
  ["f32s", { type: "array", of: "f32", value: Float32Array.of(0.5, -1) }],
  ["f64s", { type: "array", of: "f64", value: Float64Array.of(0.1) }],
  ["bools", { type: "array", of: "bool", value: Uint8Array.of(1, 0, 1) }],
  ["strings", { type: "array", of: "string", value: ["", "a", "Ġthe", "🙂", "人".repeat(40)] }],
  ["no strings", { type: "array", of: "string", value: [] }],
  [
    "nested",
    {
      type: "array",
      of: "array",
      value: [
        { type: "array", of: "u8", value: Uint8Array.of(1) },
        { type: "array", of: "string", value: ["b"] },
      ],
    },
  ],
];

async function written(metadata: Iterable<readonly [string, GgufValue]>, tensors: StoredTensor[] = []) {
  const sink = new MemorySink();
  await writeGguf(sink, { metadata, tensors });
  return sink.bytes();
}

const reread = (bytes: Uint8Array) => readGguf(new MemorySource(bytes, "test.gguf"));

function someTensor(name: string, storage: StorageType, shape: number[]): StoredTensor {
  const bytes = storageBytes(
    storage,
    shape.reduce((product, size) => product * size, 1),
  );
  return memoryTensor(
    name,
    shape,
    storage,
    Uint8Array.from({ length: bytes }, (_, i) => i * 7),
  );
}

describe("GGUF", () => {
  test("every kind of metadata reads back as it was written", async () => {
    const file = await reread(await written(everyValue));
    expect([...file.metadata.entries]).toEqual(everyValue);
    expect(file).toMatchObject({ version: 3, alignment: 32 });
  });

  test.each([32, 1, 64, 4096])("tensors of every type read back the same, aligned to %d bytes", async (alignment) => {
    const tensors = [...numberByStorage.keys()].map((storage, i) =>
      someTensor(`t.${storage}`, storage, [i % 3, 2, 256]),
    );
    const metadata: [string, GgufValue][] = [["general.alignment", { type: "u32", value: alignment }]];
    const file = await reread(await written(metadata, tensors));
    expect([...file.tensors.keys()]).toEqual(tensors.map(({ name }) => name));
    for (const tensor of tensors) {
      const found = file.tensors.get(tensor.name)!;
      expect(found).toMatchObject({ shape: tensor.shape, storage: tensor.storage, byteLength: tensor.byteLength });
      expect(await readTensorBytes(found)).toEqual(await readTensorBytes(tensor));
    }
  });

  test("shapes are in PyTorch's order, outermost first", async () => {
    const bytes = await written([], [someTensor("w", "q8_0", [3, 64])]);
    const sizes = new DataView(bytes.buffer, 24 + 8 + 1 + 4);
    expect([sizes.getBigUint64(0, true), sizes.getBigUint64(8, true)]).toEqual([64n, 3n]);
    expect((await reread(bytes)).tensors.get("w")?.shape).toEqual([3, 64]);
  });

  test("metadata is asked for by type, and a refusal names the key", async () => {
    const { metadata } = await reread(await written(everyValue));
    expect(metadata.number("u32")).toBe(2 ** 32 - 1);
    expect(metadata.number("absent", 7)).toBe(7);
    expect(metadata.string("string")).toContain("Grüße");
    expect(metadata.boolean("bool")).toBe(true);
    expect(metadata.strings("strings")).toHaveLength(5);
    expect([...metadata.numbers("u64s")]).toEqual([7, 2 ** 53 - 1]);
    expect(() => metadata.number("absent")).toThrow(/metadata absent: must be present, but it is missing/);
    expect(() => metadata.number("string")).toThrow(/metadata string: must be a number, but it is string/);
    expect(() => metadata.number("u64 large")).toThrow(/must be a number/);
    expect(() => metadata.strings("u8s")).toThrow(/metadata u8s: must be an array of strings, but it is u8\[\]/);
    expect(() => metadata.numbers("u64s large")).toThrow(/below 2\^53/);
  });

  test("a quarter of a million tokens are read in under 300 ms", async () => {
    const tokens = Array.from({ length: 250_000 }, (_, i) => `${["", "Ġ", "▁", "人"][i % 4]}token${i.toString(36)}`);
    const metadata: [string, GgufValue][] = [
      ["tokenizer.ggml.tokens", { type: "array", of: "string", value: tokens }],
      ["tokenizer.ggml.scores", { type: "array", of: "f32", value: new Float32Array(tokens.length) }],
      ["tokenizer.ggml.token_type", { type: "array", of: "i32", value: new Int32Array(tokens.length) }],
    ];
    const bytes = await written(metadata);
    let best = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      const file = await reread(bytes);
      best = Math.min(best, performance.now() - start);
      if (i === 0) expect(file.metadata.strings("tokenizer.ggml.tokens")).toEqual(tokens);
    }
    expect(best).toBeLessThan(300);
  });

  test("what GGUF or ggml could not read is not written", async () => {
    await expect(written([], [someTensor("m", "bool", [4])])).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(written([], [someTensor("a".repeat(64), "f32", [4])])).rejects.toThrow(/63 bytes/);
    await expect(written([], [someTensor("w", "f32", [1, 1, 1, 1, 1])])).rejects.toThrow(/four dimensions/);
    await expect(written([], [someTensor("w", "f32", [1]), someTensor("w", "f32", [1])])).rejects.toThrow(/twice/);
    for (const [type, value] of [
      ["u8", 256],
      ["i8", -129],
      ["u32", -1],
      ["u64", 2n ** 64n],
      ["i32", 0.5],
    ] as const) {
      await expect(written([["k", { type, value }]])).rejects.toMatchObject({ code: "INVALID_VALUE" });
    }
    const alignment: GgufValue = { type: "u32", value: 3 };
    await expect(written([["general.alignment", alignment]])).rejects.toThrow(/power of two/);
  });
});

describe("a GGUF header that lies is refused, naming the field", () => {
  const cases: [string, number, bigint | number, string, RegExp][] = [
    ["another version", 4, 9, "UNSUPPORTED", /version "9"/],
    ["big-endian", 4, 0x03000000, "UNSUPPORTED", /byte order "big-endian"/],
    ["too many tensors for the file", 8, 100n, "TRUNCATED_FILE", /tensor count/],
    ["absurdly many tensors", 8, 2n ** 63n, "BAD_FORMAT", /tensor count/],
    ["too many entries for the file", 16, 65_000n, "TRUNCATED_FILE", /metadata count/],
    ["absurdly many entries", 16, 2n ** 63n, "BAD_FORMAT", /metadata count/],
    ["a key of absurd length", 24, 2n ** 40n, "BAD_FORMAT", /metadata key 0/],
    ["a value of no type", 33, 13, "BAD_FORMAT", /metadata "k": there is no value type 13/],
    ["a tensor name of absurd length", 38, 2n ** 63n, "BAD_FORMAT", /tensor 0 name/],
    ["too many dimensions", 47, 5, "BAD_FORMAT", /tensor "w" dimension count/],
    ["a shape that overflows", 51, 2n ** 62n, "BAD_FORMAT", /tensor "w" shape/],
    ["a shape past the end of the file", 51, 32n * 1000n, "TRUNCATED_FILE", /tensor "w" data/],
    ["rows of half a block", 51, 48n, "BAD_FORMAT", /tensor "w" shape: rows of 48 are not whole blocks/],
    ["a type that is not supported", 67, 16, "UNSUPPORTED", /tensor "w": GGUF tensor type "IQ2_XXS"/],
    ["a type that does not exist", 67, 99, "UNSUPPORTED", /tensor "w": GGUF tensor type "type 99"/],
    ["an offset off the alignment", 71, 8n, "BAD_FORMAT", /tensor "w" offset/],
    ["an offset past the end", 71, 1n << 40n, "TRUNCATED_FILE", /tensor "w" data/],
  ];
  test.each(cases)("%s", async (_, at, value, code, message) => {
    const bytes = await written([["k", { type: "u8", value: 1 }]], [someTensor("w", "q8_0", [2, 32])]);
    const view = new DataView(bytes.buffer);
    if (typeof value === "bigint") view.setBigUint64(at, value, true);
    else view.setUint32(at, value, true);
    await expect(reread(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test("tensors that overlap, or share a name, and a key that stands twice", async () => {
    const bytes = await written([], [someTensor("a", "f32", [16]), someTensor("b", "f32", [16])]);
    const second = 24 + (8 + 1 + 4 + 8 + 4 + 8);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(second + 8 + 1 + 4 + 8 + 4, 32n, true);
    await expect(reread(bytes)).rejects.toThrow(/tensor "b" offset: overlaps tensor "a"/);
    view.setUint8(second + 8, "a".charCodeAt(0));
    await expect(reread(bytes)).rejects.toThrow(/tensor "a" name: stands twice/);

    const keys = await written([
      ["j", { type: "u8", value: 1 }],
      ["k", { type: "u8", value: 1 }],
    ]);
    keys[24 + 14 + 8] = "j".charCodeAt(0);
    await expect(reread(keys)).rejects.toThrow(/metadata "j": the key stands twice/);
  });

  test("text that is not UTF-8, and a boolean that is none", async () => {
    const strings: [string, GgufValue][] = [["k", { type: "array", of: "string", value: ["ab"] }]];
    for (const bad of [
      [0xc3, 0x28],
      [0xed, 0xa0],
      [0xc0, 0x80],
      [0xff, 0xff],
      [0x61, 0xe4],
    ]) {
      const bytes = await written(strings);
      bytes.set(bad, 24 + 8 + 1 + 4 + 4 + 8 + 8);
      await expect(reread(bytes)).rejects.toThrow(/metadata "k": not valid UTF-8/);
    }
    const bytes = await written([["k", { type: "bool", value: true }]]);
    bytes[24 + 8 + 1 + 4] = 2;
    await expect(reread(bytes)).rejects.toThrow(/a boolean must be 0 or 1/);
  });

  test("another kind of file, saying which", async () => {
    const kinds: [string, RegExp][] = [
      ["<html><body>404", /web page/],
      ["\u00ef\u00bb\u00bf\n<?xml version='1.0'?><Error>", /web page/],
      ["version https://git-lfs.github.com/spec/v1\n", /git lfs pull/],
      ["lmgg\u0001\u0000\u0000\u0000", /from before GGUF/],
      ["\u0080\u0000\u0000\u0000", /does not begin with GGUF/],
      ["nothing known at all", /does not begin with GGUF/],
    ];
    for (const [text, message] of kinds) {
      const refused = reread(Uint8Array.from(text, (character) => character.charCodeAt(0)));
      await expect(refused).rejects.toMatchObject({ code: "WRONG_FILE", message: expect.stringMatching(message) });
    }
  });

  test("an interrupted download, at every length", async () => {
    const whole = await written(everyValue, [someTensor("w", "q4_k", [256]), someTensor("v", "f32", [8])]);
    for (let length = 24; length < whole.length; length++) {
      await expect(reread(whole.slice(0, length)), `${length} bytes`).rejects.toMatchObject({ code: "TRUNCATED_FILE" });
    }
  });
});

describe("a GGUF file that the Python package wrote", () => {
  test("reads as it was meant", async () => {
    const url = new URL("../../../test/fixtures/gguf/complete.gguf", import.meta.url);
    const { metadata, tensors, alignment } = await readGguf(new MemorySource(readFileSync(url), "complete.gguf"));
    expect(alignment).toBe(64);
    const plain = Object.fromEntries([...metadata.entries].map(([key, { value }]) => [key, value]));
    expect(plain).toEqual({
      "general.architecture": "llama",
      "general.alignment": 64,
      "test.u8": 255,
      "test.i8": -128,
      "test.u16": 65535,
      "test.i16": -32768,
      "test.u32": 2 ** 32 - 1,
      "test.i32": -(2 ** 31),
      "test.u64": 2n ** 64n - 1n,
      "test.i64": -(2 ** 53) + 1,
      "test.f32": Math.fround(0.1),
      "test.f64": 0.1,
      "test.bool": true,
      "test.string": "Grüße 🙂 人",
      "test.strings": ["a", "Ġthe", "▁", "🙂"],
      "test.ints": Int32Array.of(1, -2, 3),
      "test.floats": Float32Array.of(0.5, -0.25),
      "test.bools": Uint8Array.of(1, 0),
      "test.nested": [
        { type: "array", of: "i32", value: Int32Array.of(1, 2) },
        { type: "array", of: "i32", value: Int32Array.of(3) },
      ],
    });
    const listed = [...tensors.values()].map(({ name, shape, storage }) => `${name} ${storage} [${shape}]`);
    expect(listed).toEqual([
      "scalar.f32 f32 [1]",
      ...["float64 f64", "float32 f32", "float16 f16", "int64 i64", "int32 i32", "int16 i16", "int8 i8"].map(
        (names) => `plain.${names} [2,3,5]`,
      ),
      "rows.q8_0 q8_0 [3,64]",
    ]);
    const scalar = await readTensorBytes(tensors.get("scalar.f32")!);
    expect(new Float32Array(scalar.buffer)[0]).toBe(3.5);
  });
});

describeWithData("tokenizers/gguf-vocab", "GGUF vocabularies of llama.cpp", (folder) => {
  const files = folder === "" ? [] : readdirSync(folder).filter((name) => name.endsWith(".gguf"));

  test.each(files)("%s reads, and is written again with the same metadata", async (name) => {
    const file = await readGguf(new MemorySource(readFileSync(join(folder, name)), name));
    expect(file.metadata.strings("tokenizer.ggml.tokens").length).toBeGreaterThan(1000);
    const again = await reread(await written(file.metadata.entries, [...file.tensors.values()]));
    expect(again.metadata.entries).toEqual(file.metadata.entries);
  });
});
