import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithData } from "../../../test/data.js";
import type { StorageType } from "../../core/storage.js";
import { MemorySink } from "../byte-sink.js";
import { MemorySource } from "../memory-source.js";
import { memoryTensor, readTensorBytes } from "../stored-tensor.js";
import { readSafetensors } from "./read.js";
import { writeSafetensors } from "./write.js";

function file(header: unknown, dataBytes: number): MemorySource {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return new MemorySource(bytes, "test.safetensors");
}

const refusal = (header: unknown, dataBytes: number) => readSafetensors(file(header, dataBytes));
const f32 = (shape: number[], start: number, end: number) => ({ dtype: "F32", shape, data_offsets: [start, end] });

describe("safetensors", () => {
  test("what is written reads back the same, for every dtype", async () => {
    const sizes: Partial<Record<StorageType, number>> = { f64: 8, f32: 4, f16: 2, bf16: 2, i64: 8, i32: 4, i16: 2 };
    const tensors = (["bool", "i8", "u8", "f16", "bf16", "i16", "i32", "f32", "i64", "f64"] as const).map((storage) =>
      memoryTensor(
        `the.${storage}`,
        [3, 2],
        storage,
        Uint8Array.from({ length: 6 * (sizes[storage] ?? 1) }, (_, i) => i),
      ),
    );
    const sink = new MemorySink();
    await writeSafetensors(sink, tensors, { format: "pt" });
    const read = await readSafetensors(new MemorySource(sink.bytes()));

    expect(Object.fromEntries(read.metadata)).toEqual({ format: "pt" });
    expect(read.tensors.size).toBe(10);
    for (const tensor of tensors) {
      const found = read.tensors.get(tensor.name);
      expect(found).toMatchObject({ shape: [3, 2], storage: tensor.storage, byteLength: tensor.byteLength });
      expect(await readTensorBytes(found!)).toEqual(await readTensorBytes(tensor));
    }
  });

  test("empty tensors, scalars and an empty file are allowed", async () => {
    const read = await readSafetensors(file({ none: f32([0, 4], 0, 0), one: f32([], 0, 4) }, 4));
    expect(read.tensors.get("one")?.shape).toEqual([]);
    expect((await readSafetensors(file({}, 0))).tensors.size).toBe(0);
  });

  test("a part of a tensor can be read, and nothing beyond it", async () => {
    const read = await readSafetensors(file({ a: f32([2], 0, 8), b: f32([2], 8, 16) }, 16));
    const tensor = read.tensors.get("a")!;
    await tensor.read(4, new Uint8Array(4));
    await expect(tensor.read(4, new Uint8Array(5))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    await expect(tensor.read(-1, new Uint8Array(1))).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
  });
});

describe("a safetensors header that lies is refused, naming the field", () => {
  const cases: [string, unknown, number, RegExp][] = [
    ["a key twice", '{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":1}', 0, /"a" stands twice/],
    ["a key of an entry twice", '{"a":{"dtype":"U8","dtype":"U8"}}', 0, /tensor "a": key "dtype" stands twice/],
    ["an overlap", { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12, /"b" data_offsets: overlap/],
    ["a gap", { a: f32([2], 0, 8), b: f32([1], 12, 16) }, 16, /"b" data_offsets: leave a gap/],
    ["bytes of no tensor", { a: f32([1], 0, 4) }, 8, /data: 4 bytes belong to no tensor/],
    ["a span unlike the shape", { a: f32([3], 0, 8) }, 8, /"a" data_offsets: .* do not span the 12 bytes/],
    ["an overflowing shape", { a: f32([2 ** 30, 2 ** 30], 0, 8) }, 8, /"a" shape: .* is no possible size/],
    ["a negative size", { a: f32([-1], 0, 4) }, 4, /"a" shape/],
    ["a size that is no integer", { a: f32([0.5], 0, 2) }, 2, /"a" shape: a whole number/],
    ["offsets backwards", { a: f32([1], 4, 0) }, 4, /"a" data_offsets/],
    ["three offsets", { a: { dtype: "F32", shape: [1], data_offsets: [0, 4, 8] } }, 4, /"a" data_offsets/],
    ["no dtype", { a: { shape: [1], data_offsets: [0, 4] } }, 4, /"a" dtype: missing/],
    ["an unknown key", { a: { ...f32([1], 0, 4), strides: [1] } }, 4, /"a": unknown key "strides"/],
    ["a number in the metadata", { __metadata__: { epoch: 3 } }, 0, /__metadata__ "epoch"/],
    ["no name", { "": f32([1], 0, 4) }, 4, /must be text, and not empty/],
    ["something after the object", "{}{}", 0, /something follows/],
    ["no object", "[1]", 0, /must begin with \{/],
    ["a string without end", '{"a', 0, /has no end/],
  ];
  test.each(cases)("%s", async (_, header, dataBytes, message) => {
    await expect(refusal(header, dataBytes)).rejects.toMatchObject({
      code: "BAD_FORMAT",
      message: expect.stringMatching(message),
    });
  });

  test("a dtype that is not supported, naming tensor and dtype", async () => {
    const header = { "h.0": { dtype: "F8_E4M3", shape: [4], data_offsets: [0, 4] } };
    await expect(refusal(header, 4)).rejects.toMatchObject({
      code: "UNSUPPORTED",
      message: expect.stringMatching(/h\.0.*F8_E4M3/),
    });
  });

  test("an interrupted download, at every length", async () => {
    const sink = new MemorySink();
    await writeSafetensors(sink, [memoryTensor("weight", [4], "f32", new Float32Array(4))]);
    const whole = sink.bytes();
    for (let length = 1; length < whole.length; length++) {
      const refused = readSafetensors(new MemorySource(whole.slice(0, length)));
      await expect(refused, `${length} bytes`).rejects.toMatchObject({ code: "TRUNCATED_FILE" });
    }
  });

  test("another kind of file, saying which", async () => {
    const kinds: [string, RegExp][] = [
      ["<!DOCTYPE html><html>", /web page/],
      ["version https://git-lfs.github.com/spec/v1\noid sha256:0", /git lfs pull/],
      ["PK\u0003\u0004\u0000\u0000\u0000\u0000", /zip archive/],
      ["GGUF\u0003\u0000\u0000\u0000", /GGUF/],
      ['{"error": "not found"}', /error message of the server/],
      ["", /empty file/],
    ];
    for (const [text, message] of kinds) {
      const source = new MemorySource(new TextEncoder().encode(text), "model.safetensors");
      await expect(readSafetensors(source)).rejects.toMatchObject({
        code: "WRONG_FILE",
        message: expect.stringMatching(message),
      });
    }
    const pickle = new MemorySource(Uint8Array.of(0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9), "model.bin");
    await expect(readSafetensors(pickle)).rejects.toThrow(/pickle/);
  });
});

describeWithData("format-fixtures", "safetensors files of another project", (folder) => {
  const files = folder === "" ? [] : readdirSync(folder).filter((name) => name.endsWith(".safetensors"));

  test.each(files)("%s reads, and is written again with the same data", async (name) => {
    const read = await readSafetensors(new MemorySource(readFileSync(join(folder, name)), name));
    expect(read.tensors.size).toBe(1);
    const sink = new MemorySink();
    await writeSafetensors(sink, read.tensors.values());
    const again = await readSafetensors(new MemorySource(sink.bytes()));
    for (const [tensorName, tensor] of read.tensors) {
      expect(
        `tensor-${tensor.shape.length}d-${{ f32: "float32", f64: "float64", i32: "int32" }[tensor.storage as "f32"]}`,
      ).toBe(name.replace(".safetensors", ""));
      expect(again.tensors.get(tensorName)).toMatchObject({ shape: tensor.shape, storage: tensor.storage });
      expect(await readTensorBytes(again.tensors.get(tensorName)!)).toEqual(await readTensorBytes(tensor));
    }
  });
});
