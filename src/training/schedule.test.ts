import { describe, expect, test } from "vitest";
import { schedule as declared } from "./config/parts.js";
import { rateFactor } from "./schedule.js";

const at = (schedule: object, ...steps: number[]) => {
  const read = declared.read({ steps: 110, ...schedule }, "schedule");
  return steps.map((step) => rateFactor(read, step));
};

describe("learning rates", () => {
  test("rise linearly over the warm-up", () => {
    expect(at({ kind: "constant", warmupSteps: 10 }, 1, 5, 10, 11, 110)).toEqual([0.1, 0.5, 1, 1, 1]);
  });

  test("fall along a line", () => {
    expect(at({ kind: "linear", warmupSteps: 10 }, 10, 60, 110)).toEqual([1, 0.5, 0]);
    expect(at({ kind: "linear", warmupSteps: 10, finalFraction: 0.5 }, 60, 110)).toEqual([0.75, 0.5]);
  });

  test("fall along half a cosine", () => {
    const [start, middle, end] = at({ kind: "cosine", warmupSteps: 10 }, 10, 60, 110);
    expect([start, end]).toEqual([1, 0.1]);
    expect(middle).toBeCloseTo(0.55, 12);
  });

  test("fall with the root of the step", () => {
    expect(at({ kind: "inverse-sqrt", warmupSteps: 16 }, 8, 16, 64)).toEqual([0.5, 1, 0.5]);
  });

  test("stay, then fall at the end", () => {
    const wsd = { kind: "wsd", warmupSteps: 10, decaySteps: 20 };
    expect(at(wsd, 5, 50, 90, 100, 110)).toEqual([0.5, 1, 1, 0.5, 0]);
    expect(at({ kind: "wsd" }, 88, 99, 110)).toEqual([1, 0.5, 0]);
  });
});
