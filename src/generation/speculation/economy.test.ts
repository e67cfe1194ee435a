import { describe, expect, test } from "vitest";
import { Line, RecentMedian } from "./costs.js";
import { Economy } from "./economy.js";

/** A made-up machine: what a proposal costs, and each further row of a run, in plain steps; how often a guess is right. */
interface World {
  readonly draft: number;
  readonly row: number;
  readonly right: (token: number) => number;
}

/** Time that `tokens` tokens take, in plain steps of 10 ms, and what was proposed on the way. */
function live({ draft, row, right }: World, tokens: number, economy = new Economy(7, true)) {
  let state = 1;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  let [time, done] = [0, 0];
  const counts: number[] = [];
  while (done < tokens) {
    const count = economy.plan();
    if (count === 0) {
      economy.plain(10);
      time += 10;
      done++;
      continue;
    }
    let accepted = 0;
    while (accepted < count && uniform() < right(done)) accepted++;
    const [proposeTime, verifyTime] = [10 * draft * count, 10 * (1 + row * count)];
    economy.pass({ rows: count + 1, proposed: count, accepted, proposeTime, verifyTime });
    time += proposeTime + verifyTime;
    done += accepted + 1;
    counts.push(count);
  }
  return { steps: time / 10, done, counts, economy };
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

describe("whether speculation pays", () => {
  test.each([
    ["a draft at an eighth of the cost", 1 / 8],
    ["a draft that costs as much as the model", 1],
    ["guesses that cost nothing", 0],
  ])("useless guesses cost less than 3 %%: %s", (_, draft) => {
    for (const tokens of draft === 1 ? [256, 1000] : [128, 256, 1000]) {
      const { steps, done } = live({ draft, row: 0.06, right: () => 0 }, tokens);
      expect(steps / done).toBeLessThan(1.03);
    }
  });

  test("good guesses are made many at a time, worse ones fewer", () => {
    const good = live({ draft: 1 / 8, row: 0.06, right: () => 0.95 }, 1000);
    const fair = live({ draft: 1 / 8, row: 0.06, right: () => 0.6 }, 1000);
    expect(good.done / good.steps).toBeGreaterThan(2.3);
    expect(fair.done / fair.steps).toBeGreaterThan(1.25);
    expect(median(good.counts)).toBeGreaterThan(median(fair.counts));
  });

  test("comes within a tenth of what the best number would give", () => {
    for (const right of [0.5, 0.7, 0.9]) {
      const world = { draft: 0.1, row: 0.07, right: () => right };
      const { steps, done } = live(world, 2000);
      const gains = [1, 2, 3, 4, 5, 6, 7].map((count) => {
        const expected = (1 - right ** (count + 1)) / (1 - right);
        return expected / (0.1 * count + 1 + 0.07 * count);
      });
      expect(done / steps).toBeGreaterThan(0.9 * Math.max(...gains));
    }
  });

  test("is on again where the text has become easy to guess", () => {
    const { counts, economy } = live({ draft: 1 / 8, row: 0.06, right: (token) => (token < 300 ? 0 : 0.95) }, 1500);
    expect(economy.switchedOff).toBeGreaterThan(0);
    expect(economy.isOn).toBe(true);
    expect(counts.length).toBeGreaterThan(100);
  });

  test("without adapting, it always proposes as many as it may", () => {
    const { counts } = live({ draft: 1, row: 1, right: () => 0 }, 20, new Economy(5, false));
    expect(new Set(counts)).toEqual(new Set([5]));
  });
});

describe("measurements", () => {
  test("a line finds the slope where x varies, and takes the expected one where it does not", () => {
    const line = new Line((_, y) => 0.1 * y);
    line.add(3, 10);
    expect(line.at(5)).toBeCloseTo(12, 9);
    for (let i = 0; i < 100; i++) line.add(1 + (i % 9), 10 + 2 * (1 + (i % 9)));
    expect(line.at(1)).toBeCloseTo(12, 0);
    expect(line.at(9)).toBeCloseTo(28, 0);
  });

  test("a moment's interruption does not show in the median", () => {
    const recent = new RecentMedian(5);
    for (const value of [1, 1.1, 50, 0.9, 1]) recent.add(value);
    expect(recent.value).toBe(1);
  });
});
