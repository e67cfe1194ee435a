import { describe, expect, test } from "vitest";
import { MemorySource } from "../memory-source.js";
import { readTensorBytes } from "../stored-tensor.js";
import { isCtranslate2, readCtranslate2 } from "./read.js";

interface Variable {
  readonly name: string;
  readonly shape: readonly number[];
  readonly items: Float32Array | Int8Array | Int16Array;
  /** What the file claims in the place of the truth. */
  readonly claimed?: number;
}

function model(
  variables: readonly Variable[],
  { version = 2, count = variables.length } = {},
): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  const number = (value: number, size: number) => {
    for (let i = 0; i < size; i++) bytes.push((value >>> (8 * i)) & 0xff);
  };
  const string = (text: string) => {
    number(text.length + 1, 2);
    bytes.push(...new TextEncoder().encode(text), 0);
  };
  number(version, 4);
  string("TransformerBase");
  number(2, 4);
  number(count, 4);
  for (const { name, shape, items, claimed } of variables) {
    string(name);
    number(shape.length, 1);
    for (const size of shape) number(size, 4);
    number(items.BYTES_PER_ELEMENT, 1);
    number(claimed ?? items.length, 4);
    bytes.push(...new Uint8Array(items.buffer));
  }
  return Uint8Array.from(bytes);
}

const weight = { name: "w", shape: [2, 2], items: Int8Array.of(2, -4, 6, 127) };
const scale = { name: "w_scale", shape: [2], items: Float32Array.of(2, 127) };
const open = (bytes: Uint8Array) => readCtranslate2(new MemorySource(bytes, "model.bin"));

describe("a CTranslate2 model", () => {
  test("gives its tensors, quantized ones divided by the scale of their row", async () => {
    const bytes = model([weight, scale, { name: "b", shape: [1], items: Float32Array.of(7) }]);
    expect(isCtranslate2(bytes)).toBe(true);
    const file = await open(bytes);
    expect([file.specification, file.revision, [...file.tensors.keys()]]).toEqual(["TransformerBase", 2, ["w", "b"]]);
    const values = new Float32Array((await readTensorBytes(file.tensors.get("w")!)).buffer);
    expect(values).toEqual(Float32Array.of(1, -2, 6 / 127, 1));
  });

  test.each([
    ["variable count", model([weight], { count: 60_000 }), "TRUNCATED_FILE"],
    ["variable count", model([weight], { count: 2 ** 31 }), "BAD_FORMAT"],
    ["item count", model([{ ...weight, claimed: 5 }]), "BAD_FORMAT"],
    ["data", model([{ ...weight, shape: [2 ** 20, 2 ** 10], claimed: 2 ** 30 }]), "TRUNCATED_FILE"],
    ["name", model([weight, weight]), "BAD_FORMAT"],
    ["w_scale", model([weight, { ...scale, shape: [3], items: new Float32Array(3) }]), "BAD_FORMAT"],
    ["without scale", model([{ name: "h", shape: [1], items: Int16Array.of(1) }]), "UNSUPPORTED"],
    ["binary version", model([weight], { version: 6 }), "UNSUPPORTED"],
  ])("with a wrong %s is refused", async (field, bytes, code) => {
    await expect(open(bytes)).rejects.toMatchObject({ code, message: expect.stringContaining(field) });
  });

  test("that ends anywhere is refused, or lacks nothing", async () => {
    const bytes = model([weight, scale]);
    for (let length = 1; length < bytes.length; length++) {
      await expect(open(bytes.slice(0, length)), String(length)).rejects.toHaveProperty("code");
    }
  });
});
