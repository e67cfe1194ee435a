import { describe, expect, test } from "vitest";
import { halfValues, narrowToBfloats, narrowToHalves, toHalf, widenBfloats, widenHalves } from "./half.js";

/** Every 16-bit pattern that is a number, not NaN. */
function patterns(infinity: number): Uint16Array {
  const all = Array.from({ length: 65_536 }, (_, bits) => bits);
  return Uint16Array.from(all.filter((bits) => (bits & 0x7fff) <= infinity));
}

describe("f16", () => {
  test("is the value that its definition says", () => {
    expect(halfValues[0x3c00]).toBe(1);
    expect(halfValues[0xc000]).toBe(-2);
    expect(halfValues[0x7bff]).toBe(65504);
    expect(halfValues[0x0001]).toBe(2 ** -24);
    expect(halfValues[0x03ff]).toBe(1023 * 2 ** -24);
    expect(halfValues[0x0400]).toBe(2 ** -14);
    expect(halfValues[0x8000]).toBe(-0);
    expect(halfValues[0x7c00]).toBe(Number.POSITIVE_INFINITY);
    expect(halfValues[0x7e00]).toBeNaN();
  });

  test("widened and narrowed is itself, for every number", () => {
    const halves = patterns(0x7c00);
    const wide = new Float32Array(halves.length);
    widenHalves(halves, wide);
    const back = new Uint16Array(halves.length);
    narrowToHalves(wide, back);
    expect(back).toEqual(halves);
  });

  test("takes the nearest, and the even one of two", () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = (halfValues[bits] + halfValues[bits + 1]) / 2;
      const step = middle * 2 ** -22 + 2 ** -40;
      const even = bits + (bits % 2);
      if (toHalf(middle) !== even || toHalf(middle - step) !== bits || toHalf(middle + step) !== bits + 1)
        wrong.push(bits);
    }
    expect(wrong).toEqual([]);
    expect(toHalf(65519.99)).toBe(0x7bff);
    expect(toHalf(65520)).toBe(0x7c00);
    expect(toHalf(-1e30)).toBe(0xfc00);
    expect(toHalf(Number.NaN) & 0x7fff).toBeGreaterThan(0x7c00);
  });
});

describe("bf16", () => {
  test("widened and narrowed is itself, for every number", () => {
    const bfloats = patterns(0x7f80);
    const wide = new Float32Array(bfloats.length);
    widenBfloats(bfloats, wide);
    const back = new Uint16Array(bfloats.length);
    narrowToBfloats(wide, back);
    expect(back).toEqual(bfloats);
  });

  test("takes the nearest, and the even one of two", () => {
    const into = new Uint16Array(4);
    narrowToBfloats(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, Number.NaN), into);
    expect([...into]).toEqual([0x3f80, 0x3f82, 0x3f81, 0x7fc0]);
  });
});
