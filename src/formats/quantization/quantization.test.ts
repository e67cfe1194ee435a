import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CounterRandom } from "../../core/random.js";
import { type StorageType, storageBytes, storageTypes } from "../../core/storage.js";
import { readGguf } from "../gguf/read.js";
import { MemorySource } from "../memory-source.js";
import { readTensorBytes } from "../stored-tensor.js";
import { dequantize, quantizableTypes, quantize } from "./index.js";

/** Files that the Python package `gguf` wrote; see make_fixtures.py beside them. */
async function fixture(name: string) {
  const url = new URL(`../../../test/fixtures/gguf/${name}.gguf`, import.meta.url);
  const { tensors } = await readGguf(new MemorySource(readFileSync(url), name));
  return async (tensor: string) => {
    const found = tensors.get(tensor);
    if (found === undefined) throw new Error(`${name}.gguf has no ${tensor}`);
    return readTensorBytes(found);
  };
}

/** Where the first bytes differ: a message that says more than a thousand lines of numbers. */
function firstDifference(actual: Uint8Array, expected: Uint8Array): number {
  return actual.length === expected.length ? actual.findIndex((byte, i) => byte !== expected[i]) : actual.length;
}

const blockTypes = Object.keys(storageTypes).filter((type) => /q\d|mxfp4|f16/.test(type)) as StorageType[];

describe("dequantize", () => {
  test.each(blockTypes)("%s gives the bits that the Python package gives", async (type) => {
    const tensor = await fixture("dequantize");
    const [blocks, expected] = [await tensor(type), await tensor(`${type}.expected`)];
    const values = new Float32Array(expected.length / 4);
    dequantize(type, blocks, values);
    expect(firstDifference(new Uint8Array(values.buffer), expected)).toBe(-1);
  });

  test.each(blockTypes)("%s needs no alignment, and writes nothing beyond its elements", async (type) => {
    const { blockSize, blockBytes } = storageTypes[type];
    const blocks = (await (await fixture("dequantize"))(type)).slice(0, 3 * blockBytes);
    const expected = new Float32Array(3 * blockSize);
    dequantize(type, blocks, expected);

    const shifted = new Uint8Array(blocks.length + 2);
    shifted.set(blocks, 1);
    const values = new Float32Array(3 * blockSize + 2).fill(7);
    dequantize(type, shifted.subarray(1, -1), values.subarray(1, -1));
    expect([...values]).toEqual([7, ...expected, 7]);
  });

  test("plain numbers become float32", () => {
    const into = new Float32Array(2);
    const cases: [StorageType, ArrayBufferView, number[]][] = [
      ["f64", Float64Array.of(0.1, -2), [Math.fround(0.1), -2]],
      ["f32", Float32Array.of(0.1, -2), [Math.fround(0.1), -2]],
      ["i64", BigInt64Array.of(-3n, 2n ** 40n), [-3, 2 ** 40]],
      ["i64", BigInt64Array.of(-(2n ** 63n), 2n ** 31n), [-(2 ** 63), 2 ** 31]],
      ["i32", Int32Array.of(-3, 2 ** 24 + 1), [-3, 2 ** 24]],
      ["i16", Int16Array.of(-3, 4), [-3, 4]],
      ["i8", Int8Array.of(-3, 4), [-3, 4]],
      ["u8", Uint8Array.of(3, 255), [3, 255]],
      ["bool", Uint8Array.of(0, 1), [0, 1]],
    ];
    for (const [type, data, expected] of cases) {
      dequantize(type, new Uint8Array(data.buffer), into);
      expect([...into], type).toEqual(expected);
    }
  });

  test("sizes that do not agree are refused", () => {
    const refused = () => dequantize("q4_0", new Uint8Array(18), new Float32Array(31));
    expect(refused).toThrow(expect.objectContaining({ code: "SHAPE_MISMATCH" }));
    expect(() => dequantize("f32", new Uint8Array(9), new Float32Array(2))).toThrow(/9 bytes/);
    dequantize("q4_k", new Uint8Array(0), new Float32Array(0));
  });
});

describe("quantize", () => {
  const searched = ["q4_k", "q6_k", "mxfp4"] as const;
  const own: readonly StorageType[] = ["f32", ...searched];
  const reference = quantizableTypes.filter((type) => !own.includes(type));

  test.each(reference)("%s gives the bits that the Python package gives", async (type) => {
    const tensor = await fixture("quantize");
    const [bytes, expected] = [await tensor("values"), await tensor(type)];
    const values = new Float32Array(bytes.buffer);
    const stored = new Uint8Array(storageBytes(type, values.length));
    quantize(type, values, stored);
    expect(firstDifference(stored, expected)).toBe(-1);
  });

  test.each(reference)("%s and back is as near as its bits allow", (type) => {
    const values = Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i * 1.7) * (1 + (i % 13)));
    const stored = new Uint8Array(storageBytes(type, values.length));
    const back = new Float32Array(values.length);
    quantize(type, values, stored);
    dequantize(type, stored, back);
    const steps: Record<string, number> = {
      f16: 2 ** -10,
      bf16: 2 ** -8,
      q8_0: 1 / 127,
      q4_0: 1 / 8,
      q4_1: 2 / 15,
      q5_0: 1 / 16,
      q5_1: 2 / 31,
    };
    for (let i = 0; i < values.length; i++) expect(Math.abs(back[i] - values[i])).toBeLessThan(13 * steps[type]);
  });

  /** Normal numbers whose spread differs from group to group, as in the rows of a trained matrix. */
  const random = new CounterRandom(7);
  const trained = Float32Array.from({ length: 64 * 256 }, (_, i) => {
    const normal =
      Math.sqrt(-2 * Math.log(1 - random.uniform(2 * i))) * Math.cos(2 * Math.PI * random.uniform(2 * i + 1));
    return 0.02 * (1 + (Math.floor(i / 16) % 5)) * normal;
  });
  const roundTrip = (type: StorageType, values: Float32Array): Float32Array => {
    const stored = new Uint8Array(storageBytes(type, values.length));
    const back = new Float32Array(values.length);
    quantize(type, values, stored);
    dequantize(type, stored, back);
    return back;
  };
  const errorOf = (values: Float32Array, back: ArrayLike<number>): number =>
    values.reduce((sum, value, i) => sum + (value - back[i]!) ** 2, 0);

  /** Plain rounding without a search, and with scales that are not themselves rounded: the range becomes the levels. */
  const naive: Record<(typeof searched)[number], (group: Float32Array) => number[]> = {
    q4_k: (group) => {
      const [least, greatest] = [Math.min(0, ...group), Math.max(...group)];
      const scale = (greatest - least) / 15;
      return Array.from(group, (x) => Math.round((x - least) / scale) * scale + least);
    },
    q6_k: (group) => {
      const scale = Math.max(...group.map(Math.abs)) / 31;
      return Array.from(group, (x) => Math.round(x / scale) * scale);
    },
    mxfp4: (group) => {
      const scale = 2 ** Math.ceil(Math.log2(Math.max(...group.map(Math.abs)) / 6));
      const levels = [0, 0.5, 1, 1.5, 2, 3, 4, 6].map((level) => level * scale);
      const nearest = (x: number) => levels.reduce((a, b) => (Math.abs(b - x) < Math.abs(a - x) ? b : a));
      return Array.from(group, (x) => Math.sign(x) * nearest(Math.abs(x)));
    },
  };

  test.each([
    ["q4_k", 32, 0.95],
    ["q6_k", 16, 0.97],
    ["mxfp4", 32, 0.97],
  ] as const)("%s loses less than rounding without a search does", (type, size, most) => {
    const rounded = [];
    for (let at = 0; at < trained.length; at += size) rounded.push(...naive[type](trained.subarray(at, at + size)));
    const ratio = errorOf(trained, roundTrip(type, trained)) / errorOf(trained, rounded);
    expect(ratio).toBeLessThan(most);
  });

  test.each(searched)("%s: no value is farther off than a step of its group", (type) => {
    const values = trained.map((value, i) => (i % 7 === 0 ? 4 * value : value));
    const back = roundTrip(type, values);
    const size = type === "q6_k" ? 16 : 32;
    for (let at = 0; at < values.length; at += size) {
      const group = values.subarray(at, at + size);
      const span = type === "q4_k" ? Math.max(...group) - Math.min(0, ...group) : Math.max(...group.map(Math.abs));
      const step = span / { q4_k: 15, q6_k: 32, mxfp4: 3 }[type];
      for (let i = at; i < at + size; i++) expect(Math.abs(back[i]! - values[i]!)).toBeLessThan(step);
    }
  });

  test.each(searched)("%s: a constant comes back as near as its scale can be said", (type) => {
    for (const value of [0, 1, -2]) {
      for (const back of roundTrip(type, new Float32Array(256).fill(value))) {
        expect(Math.abs(back - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -11);
      }
    }
  });

  test("mxfp4: its levels come back exactly, at every exponent that float32 has", () => {
    for (const exponent of [-126, -40, 0, 1, 60, 124]) {
      const levels = Float32Array.from({ length: 32 }, (_, i) => {
        return [0, 0.5, 1, 1.5, 2, 3, 4, 6][i % 8]! * (i < 16 ? 1 : -1) * 2 ** exponent;
      });
      expect([...roundTrip("mxfp4", levels)].map((x) => x + 0)).toEqual([...levels].map((x) => x + 0));
    }
  });

  test.each(searched)("%s: one large value among small ones, tiny and huge ones stay finite", (type) => {
    for (const scale of [1e-30, 1e-7, 1, 1e4]) {
      const values = Float32Array.from({ length: 512 }, (_, i) => (i % 32 === 5 ? -3 : 0.01 * (i % 3)) * scale);
      const back = roundTrip(type, values);
      expect(back.every(Number.isFinite)).toBe(true);
      if (scale >= 1) expect(errorOf(values, back) / errorOf(values, new Float32Array(512))).toBeLessThan(0.01);
    }
  });

  test("types that are read only, and sizes that do not agree, are refused", () => {
    expect(() => quantize("q5_k", new Float32Array(256), new Uint8Array(176))).toThrow(/quantizing to "q5_k"/);
    expect(() => quantize("q8_0", new Float32Array(33), new Uint8Array(34))).toThrow(/33 elements/);
  });
});
