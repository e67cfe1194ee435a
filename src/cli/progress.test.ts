import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { progressOn } from "./progress.js";
import type { Output } from "./terminal.js";

function screen(isTTY: boolean, columns = 80): Output & { text: string } {
  const output = new Writable({
    write(chunk, _encoding, done) {
      Object.assign(output, { text: (output as unknown as { text: string }).text + String(chunk) });
      done();
    },
  });
  return Object.assign(output, { isTTY, columns, text: "" });
}

describe("progress bar", () => {
  test("appears after half a second, and is wiped away", () => {
    let time = 0;
    const output = screen(true);
    const progress = progressOn(output, "loading", () => time);
    for (; time <= 500; time += 100) progress.update(time, 1000);
    expect(output.text).toBe(`\r\u001b[Kloading ${"█".repeat(12)}${"░".repeat(12)} 50%`);
    progress.clear();
    expect(output.text.endsWith("50%\r\u001b[K")).toBe(true);
  });

  test("work that is over sooner leaves no trace", () => {
    const output = screen(true);
    const progress = progressOn(output, "loading", () => 400);
    progress.update(1, 2);
    progress.clear();
    expect(output.text).toBe("");
  });

  test("is drawn at most ten times a second, within the terminal's width", () => {
    let time = 0;
    const output = screen(true, 20);
    const progress = progressOn(output, "loading", () => time);
    for (; time < 1500; time += 1) progress.update(time, 1500);
    const drawings = output.text.split("\r\u001b[K").slice(1);
    expect(drawings).toHaveLength(10);
    for (const drawing of drawings) expect(drawing.length).toBeLessThan(20);
  });

  test("is nothing where nobody looks", () => {
    let time = 0;
    const output = screen(false);
    const progress = progressOn(output, "loading", () => time);
    for (; time < 2000; time += 100) progress.update(time, 2000);
    progress.clear();
    expect(output.text).toBe("");
  });
});
