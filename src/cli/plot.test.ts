import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder } from "../../test/support/tiny-checkpoint.js";

function runFolder(): string {
  const folder = temporaryFolder();
  const steps = [1, 2, 4].map((step) => ({ kind: "step", step, loss: 4 - step, tokens: 100 * step, seconds: step }));
  const lines = [...steps, { kind: "evaluation", step: 4, loss: 1 }];
  writeFileSync(join(folder, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return folder;
}

describe("hitherto plot", () => {
  test("draws the curves of several runs, each by its name", async () => {
    const [a, b] = [runFolder(), runFolder()];
    const { code, stdout, stderr } = await runCommand(["plot", a, join(b, "metrics.jsonl"), "--smoothing", "0"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
    for (const folder of [a, b]) expect(stdout).toContain(`>${basename(folder)}</text>`);
    expect(stdout.match(/<path/g)).toHaveLength(4);
  });

  test("counts tokens where asked, and held-out losses lie beside the step they belong to", async () => {
    const words = ["--x", "tokens", "--smoothing", "0", "--names", "mine", "--title", "Title"];
    const { stdout } = await runCommand(["plot", runFolder(), ...words]);
    expect(stdout).toContain(">400</text>");
    expect(stdout).toMatch(/<circle [^>]*cx="776"/);
    for (const text of ["mine", "Title", "tokens"]) expect(stdout).toContain(`>${text}</text>`);
  });

  test("writes a file", async () => {
    const path = join(temporaryFolder(), "loss.svg");
    expect(await runCommand(["plot", runFolder(), "--out", path])).toEqual({ code: 0, stdout: "", stderr: "" });
    expect(readFileSync(path, "utf8")).toMatch(/^<svg /);
  });

  test.each([
    [["--log", "z"], '--log must be one of x, y, xy, got "z"', 2],
    [["--smoothing", "1"], '--smoothing must be a number from 0 to below 1, got "1"', 2],
    [["--names", "a,b"], '--names must be 1 names, got "a,b"', 2],
  ])("%j is wrong usage", async (words, message, code) => {
    const result = await runCommand(["plot", runFolder(), ...words]);
    expect(result).toEqual({ code, stdout: "", stderr: `hitherto: ${message}\n` });
  });

  test("what is no run is told as such", async () => {
    const { code, stderr } = await runCommand(["plot", temporaryFolder()]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/expected a run with metrics\.jsonl\n$/);
  });
});
