/** The record of a run: complete, without duplicates, whenever the run was interrupted. */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/tiny-checkpoint.js";
import { type Metrics, MetricsFile, readMetrics } from "./metrics.js";

const step = (number: number): Metrics => ({
  kind: "step",
  step: number,
  loss: 1 / number,
  learningRate: 1e-3,
  gradientNorm: 1,
  tokens: 10 * number,
  tokensPerSecond: 10,
  seconds: number,
});
const evaluation = (number: number): Metrics => ({ kind: "evaluation", step: number, loss: 2 });

function record(folder: string, fromStep: number, metrics: readonly Metrics[]): MetricsFile {
  const file = MetricsFile.open(folder, fromStep);
  for (const each of metrics) file.add(each);
  file.close();
  return file;
}

describe("metrics.jsonl", () => {
  test("has one line for each measurement", () => {
    const folder = temporaryFolder();
    const sample: Metrics = { kind: "sample", step: 2, prompt: "a", text: "b\nc" };
    record(folder, 0, [step(1), step(2), sample]);
    expect(readMetrics(folder)).toEqual([step(1), step(2), sample]);
    expect(readFileSync(join(folder, "metrics.jsonl"), "utf8").split("\n")).toHaveLength(4);
    expect(readMetrics(join(folder, "metrics.jsonl"))).toHaveLength(3);
  });

  test("a resumed run cuts off what it will do again, and what was left unfinished", () => {
    const folder = temporaryFolder();
    record(folder, 0, [step(1), step(2), step(3), step(4)]);
    appendFileSync(join(folder, "metrics.jsonl"), '{"kind":"step","st');
    const { before } = record(folder, 2, [step(3), step(4)]);
    expect(before).toEqual([step(1), step(2)]);
    expect(readMetrics(folder)).toEqual([1, 2, 3, 4].map(step));
  });

  test("what was measured at the step itself is not measured twice", () => {
    const folder = temporaryFolder();
    record(folder, 0, [step(1), step(2), evaluation(2), step(3)]);
    record(folder, 2, [evaluation(2), step(3), evaluation(3)]);
    expect(readMetrics(folder)).toEqual([step(1), step(2), evaluation(2), step(3), evaluation(3)]);
  });

  test("a new run begins an empty file", () => {
    const folder = temporaryFolder();
    record(folder, 0, [step(1)]);
    record(folder, 0, [step(1), step(2)]);
    expect(readMetrics(folder)).toEqual([step(1), step(2)]);
  });

  test("what is no run is refused", () => {
    const folder = temporaryFolder();
    expect(() => readMetrics(folder)).toThrow("not found; expected a run with metrics.jsonl");
    writeFileSync(join(folder, "metrics.jsonl"), `${JSON.stringify(step(1))}\n{"loss":1}\n`);
    expect(() => readMetrics(folder)).toThrow("metrics.jsonl (metrics): line 2: is no measurement of a step");
  });
});
