import { describe, expect, test } from "vitest";
import { storageBytes } from "../../core/storage.js";
import { memoryTensor, readTensorBytes } from "../stored-tensor.js";
import { dequantize, quantize } from "./index.js";
import { convertTensor, readTensorFloats } from "./tensor.js";

/** More than one piece long, and the last piece not full. */
const elements = 2 ** 20 + 3 * 256;
const values = Float32Array.from({ length: elements }, (_, i) => Math.fround(Math.sin(i)));
const whole = new Uint8Array(storageBytes("q8_0", elements));
quantize("q8_0", values, whole);

describe("a tensor as float32", () => {
  test("is the same as its bytes turned at once", async () => {
    const expected = new Float32Array(elements);
    dequantize("q8_0", whole, expected);
    const read = await readTensorFloats(memoryTensor("w", [elements / 256, 256], "q8_0", whole));
    expect(Buffer.compare(Buffer.from(read.buffer), Buffer.from(expected.buffer))).toBe(0);
    expect(await readTensorFloats(memoryTensor("v", [2], "f32", Float32Array.of(1, 2)))).toEqual(Float32Array.of(1, 2));
    expect(await readTensorFloats(memoryTensor("none", [0, 4], "f16", new Uint16Array(0)))).toHaveLength(0);
  });
});

describe("a converted tensor", () => {
  test("is the same as its values turned at once, read whole or in odd pieces", async () => {
    const converted = convertTensor(memoryTensor("w", [elements / 256, 256], "f32", values), "q8_0");
    expect(converted).toMatchObject({ name: "w", storage: "q8_0", byteLength: whole.length });
    expect(Buffer.compare(await readTensorBytes(converted), whole)).toBe(0);
    for (const [offset, length] of [
      [0, 1],
      [33, 2],
      [34, 34],
      [whole.length - 5, 5],
      [2 ** 20 - 100, 1_000],
    ]) {
      const part = new Uint8Array(length);
      await converted.read(offset, part);
      expect(part).toEqual(whole.slice(offset, offset + length));
    }
  });

  test("from wide blocks to narrow numbers can be read from anywhere", async () => {
    const blocks = Uint8Array.from({ length: storageBytes("q4_k", 1024) }, (_, i) => (i * 7) % 60);
    const expected = new Float32Array(1024);
    dequantize("q4_k", blocks, expected);
    const converted = convertTensor(memoryTensor("w", [1024], "q4_k", blocks), "f32");
    const part = new Uint8Array(40);
    await converted.read(4 * 300, part);
    expect(new Float32Array(part.buffer)).toEqual(expected.slice(300, 310));
  });

  test("of a type that cannot be made, or with rows of half a block, is refused naming the tensor", () => {
    const tensor = memoryTensor("h.0", [2, 48], "f32", new Float32Array(96));
    expect(() => convertTensor(tensor, "q8_0")).toThrow(/"h\.0".*rows of 48/);
    expect(() => convertTensor(tensor, "iq4_nl")).toThrow(/"h\.0"/);
    expect(convertTensor(tensor, "f32")).toBe(tensor);
  });
});
