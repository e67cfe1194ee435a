/** A run on the screen: exact curves, no more than the screen's width, and lines where there is no screen. */
import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import type { Output } from "../terminal.js";
import { blockCurve } from "./curve.js";
import { dashboardOn } from "./dashboard.js";
import type { RunFacts, StepEvent } from "./events.js";
import { bytes, compact, count, duration, grouped } from "./figures.js";

const controlSequence = "\u001b";

function screen(isTTY: boolean, columns = 80): Output & { text: string } {
  const stream = new Writable({
    write(chunk, _encoding, done) {
      output.text += chunk;
      done();
    },
  });
  const output = Object.assign(stream, { isTTY, columns, text: "" });
  return output;
}

/** What takes a drawing away: the cursor goes up to where it began, and all below goes. */
const wipe = new RegExp(`${controlSequence}\\[\\d+A\r${controlSequence}\\[J`, "g");

const facts: RunFacts = { name: "run", folder: "runs/run", steps: 100, fromStep: 0, summary: ["1,000 parameters"] };
const step = (number: number): StepEvent => ({
  kind: "step",
  step: number,
  loss: 4 - number / 50,
  learningRate: 0.00042,
  gradientNorm: 0.5,
  tokens: number,
  seconds: number,
  tokensPerSecond: 12345.6,
  secondsLeft: 75,
});

describe("a curve of blocks", () => {
  test("has an eighth of a line for each eighth of the range", () => {
    const curve = blockCurve([0, 1, 2, 3, 4], { width: 5, height: 2, low: 0, high: 4 });
    expect(curve).toEqual(["   ▄█", "▁▄███"]);
  });

  test("shows means where there are more values than columns, and spaces where there are fewer", () => {
    const size = { width: 4, height: 1, low: 0, high: 8 };
    expect(blockCurve([0, 2, 3, 5, 8, 8, 1, 7], size)).toEqual(["▁▄█▄"]);
    expect(blockCurve([8, 4], size)).toEqual(["█▄  "]);
    expect(blockCurve([3], { ...size, low: 3, high: 3 })).toEqual(["█   "]);
    expect(blockCurve([], size)).toEqual(["    "]);
  });
});

describe("on a terminal", () => {
  test("the drawing replaces itself, within the width", () => {
    let time = 0;
    const output = screen(true, 60);
    const dashboard = dashboardOn(output, facts, [], () => time);
    for (let number = 1; number <= 3; number++) {
      time += 100;
      dashboard.show(step(number));
    }
    dashboard.show({ kind: "evaluation", step: 3, loss: 3.5, bitsPerByte: 2.25 });
    dashboard.show({ kind: "sample", step: 3, prompt: "Once", text: `\u001b[2J\n${"long ".repeat(30)}` });
    time += 100;
    dashboard.show(step(4));
    const drawings = output.text.split(wipe);
    expect(drawings).toHaveLength(4);
    const heights = [...output.text.matchAll(wipe)].map(([text]) => Number.parseInt(text.slice(2), 10));
    expect(heights).toEqual(drawings.slice(0, 3).map((each, index) => each.split("\n").length - (index === 0 ? 3 : 1)));
    for (const line of output.text.replaceAll(wipe, "").split("\n")) expect(Array.from(line).length).toBeLessThan(60);
    const last = drawings.at(-1)!;
    expect(last).toContain("step 4/100");
    expect(last).toContain("4%  1 min 15 s left");
    expect(last).toContain("loss 3.9200  held out 3.5000 (2.250 bits per byte)");
    expect(last).toContain("12,346 tokens/s  learning rate 4.2e-4");
    expect(last).toContain("sample after step 3:\n  Once [2J\n  long long");
    expect(last).not.toContain("\u001b");
  });

  test("is drawn at most ten times a second, and once more at the end", () => {
    let time = 0;
    const output = screen(true);
    const dashboard = dashboardOn(output, facts, [], () => time);
    for (; time < 1000; time += 1) dashboard.show(step(time % 100));
    dashboard.end();
    expect(output.text.match(/tokens\/s/g)).toHaveLength(11);
  });

  test("a note stands above the drawing", () => {
    const output = screen(true);
    const dashboard = dashboardOn(output, facts);
    dashboard.show(step(1));
    dashboard.note("a notice");
    const after = output.text.split("a notice\n")[1]!;
    expect(after).toContain("step 1/100");
    expect(output.text.indexOf("[J")).toBeLessThan(output.text.indexOf("a notice"));
  });

  test("a resumed run's curve has what came before", () => {
    const output = screen(true);
    dashboardOn(output, { ...facts, fromStep: 1 }, [{ ...step(1), loss: 9.5 }]).show(step(2));
    expect(output.text).toContain("resumed after step 1");
    expect(output.text).toContain("  9.500┤");
  });
});

describe("elsewhere", () => {
  test("a line every ten seconds, at the last step, and for all that is rare", () => {
    let time = 0;
    const output = screen(false);
    const dashboard = dashboardOn(output, facts, [], () => time);
    for (let number = 1; number <= 100; number++) {
      dashboard.show(step(number));
      if (number === 50) dashboard.show({ kind: "evaluation", step: 50, loss: 3 });
      if (number === 60) dashboard.show({ kind: "evaluation", step: 60, loss: 3.5 });
      if (number === 60) dashboard.show({ kind: "sample", step: 60, prompt: "a", text: "b\n" });
      time += 300;
    }
    dashboard.end();
    expect(output.text.split("\n")).toEqual([
      "run → runs/run",
      "1,000 parameters",
      expect.stringMatching(
        /^step 1\/100 {2}loss 3\.9800 {2}learning rate 4\.2e-4 {2}gradient norm 0\.500 {2}12,346 tokens\/s {2}1 min 15 s left$/,
      ),
      expect.stringMatching(/^step 35\/100 /),
      "held out after step 50: loss 3.0000",
      "held out after step 60: loss 3.5000  best 3.0000 at 50",
      'sample after step 60: "ab\\n"',
      expect.stringMatching(/^step 69\/100 /),
      expect.stringMatching(/^step 100\/100 /),
      "",
    ]);
  });
});

describe("figures", () => {
  test.each([
    [duration(0.4), "0 s"],
    [duration(59.6), "1 min 00 s"],
    [duration(7625), "2 h 07 min"],
    [duration(Number.POSITIVE_INFINITY), "?"],
    [grouped(1234567.8), "1,234,568"],
    [compact(0.001), "1e-3"],
    [compact(0.00042), "4.2e-4"],
    [compact(0.25), "0.25"],
    [compact(0), "0"],
    [bytes(999), "999 bytes"],
    [bytes(1_540_000), "1.5 MB"],
    [count(812), "812"],
    [count(10_745_088), "10.7M"],
  ])("%s", (actual, expected) => expect(actual).toBe(expected));
});
