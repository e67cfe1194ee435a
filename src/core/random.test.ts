import { describe, expect, test } from "vitest";
import { CounterRandom } from "./random.js";

describe("counter-based random numbers", () => {
  test("are a function of seed and position", () => {
    const [a, b] = [new CounterRandom(7), new CounterRandom(7)];
    b.uniform(3);
    expect(a.uniform(5)).toBe(b.uniform(5));
    expect(a.uniform(5)).not.toBe(a.uniform(6));
    expect(a.uniform(5)).not.toBe(new CounterRandom(8).uniform(5));
    expect(a.uniform(5)).not.toBe(new CounterRandom(7, 1).uniform(5));
  });

  test("follow Philox 4x32-10: the known answer for a zero counter and key", () => {
    // 6627e8d5 e169c58d …, from the published test vectors of Random123.
    const expected = ((0x6627e8d5 >>> 5) * 2 ** 26 + (0xe169c58d >>> 6)) / 2 ** 53;
    expect(new CounterRandom(0).uniform(0)).toBe(expected);
  });

  test("are uniform: 100,000 draws fall evenly into 100 bins (chi-squared)", () => {
    const bins = new Array<number>(100).fill(0);
    const random = new CounterRandom(123);
    for (let i = 0; i < 100_000; i++) bins[Math.floor(random.uniform(i) * 100)]!++;
    const statistic = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: beyond 160 once in 10,000 seeds.
    expect(statistic).toBeLessThan(160);
  });
});
