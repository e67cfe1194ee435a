import { describe, expect, test } from "vitest";
import { dropoutBits, dropoutKeys, dropoutThreshold } from "./dropout-hash.js";

const count = 1 << 17;
/** How far a share of `count` fair coins may be from what is expected: five standard deviations. */
const bound = (probability: number) => 5 * Math.sqrt((probability * (1 - probability)) / count);

function dropped(seed: readonly [number, number], stream: number, rate: number): Uint8Array {
  const keys = dropoutKeys(seed, stream);
  const threshold = dropoutThreshold(rate);
  return Uint8Array.from({ length: count }, (_, i) => Number(dropoutBits(keys, i) < threshold));
}

function share(a: Uint8Array, b: Uint8Array = a, distance = 0): number {
  let both = 0;
  for (let i = 0; i < count; i++) both += a[i]! & b[(i + distance) % count]!;
  return both / count;
}

describe("the hash of dropout", () => {
  test.each([0.01, 0.1, 0.2, 0.5, 0.9])("drops a share of %f", (rate) => {
    for (const seed of [0, 1, 2, -1])
      expect(Math.abs(share(dropped([seed, 0], 3, rate)) - rate)).toBeLessThan(bound(rate));
  });

  test("keeps nothing back at rate 0, and drops hardly more than all at rates near 1", () => {
    expect(share(dropped([1, 2], 0, 0))).toBe(0);
    expect(share(dropped([1, 2], 0, 1 - 2 ** -20))).toBeGreaterThan(0.9999);
  });

  test.each([1, 2, 3, 4, 15, 16, 17, 64, 256, 384, 1024, 1536, 65536])(
    "is independent of itself %i elements on",
    (distance) => {
      for (const rate of [0.2, 0.5]) {
        const one = dropped([7, 1234567], 5, rate);
        expect(Math.abs(share(one, one, distance) - rate * rate)).toBeLessThan(bound(rate * rate));
      }
    },
  );

  test("is independent between streams and between seeds, wherever they start", () => {
    const rate = 0.3;
    const one = dropped([41, 0], 0, rate);
    const others = [
      dropped([41, 0], 1, rate),
      dropped([41, 0], 2, rate),
      dropped([42, 0], 0, rate),
      dropped([40, 0], 0, rate),
      dropped([41, 1], 0, rate),
      dropped([0, 41], 0, rate),
      dropped([41, 41], 41, rate),
    ];
    for (const other of others)
      for (const distance of [0, 1, 16, 384]) {
        expect(Math.abs(share(one, other, distance) - rate * rate)).toBeLessThan(bound(rate * rate));
      }
  });

  test("every bit is set half of the time, and flips half of the time from one index to the next", () => {
    const keys = dropoutKeys([3, 9], 1);
    const [set, flipped] = [new Float64Array(24), new Float64Array(24)];
    for (let i = 0; i < count; i++) {
      const bits = dropoutBits(keys, i);
      const change = bits ^ dropoutBits(keys, i + 1);
      for (let b = 0; b < 24; b++) {
        set[b]! += (bits >> b) & 1;
        flipped[b]! += (change >> b) & 1;
      }
    }
    for (let b = 0; b < 24; b++) {
      expect(Math.abs(set[b]! / count - 0.5)).toBeLessThan(bound(0.5));
      expect(Math.abs(flipped[b]! / count - 0.5)).toBeLessThan(bound(0.5));
    }
  });

  test("is what it has always been: runs that were stopped go on with the same masks", () => {
    const keys = dropoutKeys([123, -456], 7);
    expect([0, 1, 2, 2 ** 31, 2 ** 32 + 1].map((index) => dropoutBits(keys, index))).toMatchInlineSnapshot(`
      [
        1378328,
        4254891,
        9136704,
        13393479,
        4254891,
      ]
    `);
  });
});
