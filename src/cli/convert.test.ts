import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";

const folder = tinyModel();
const out = temporaryFolder();
const completion = async (path: string) =>
  (await runCommand(["generate", "Hello", "--model", path, "--backend", "reference", "--max-tokens", "12"])).stdout;

describe("hitherto convert", () => {
  test("to GGUF and back: the same text from each", async () => {
    const file = join(out, "model.gguf");
    expect(await runCommand(["convert", folder, file])).toMatchObject({ code: 0, stdout: "" });
    expect(await completion(file)).toBe(await completion(folder));

    const again = join(out, "again");
    const result = await runCommand(["convert", file, again, "--to", "hf", "--type", "F32", "--json"]);
    expect(JSON.parse(result.stdout)).toEqual({ path: again, to: "hf" });
    expect(await completion(again)).toBe(await completion(folder));
  });

  test("what exists is replaced only when asked for", async () => {
    const path = join(out, "twice.gguf");
    expect((await runCommand(["convert", folder, path])).code).toBe(0);
    const refused = await runCommand(["convert", folder, path]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("exists") });
    expect((await runCommand(["convert", folder, path, "--force"])).code).toBe(0);
  });

  test.each([
    [["--to", "onnx"], '--to must be one of hf, gguf, got "onnx"'],
    [
      ["--type", "q9_0"],
      '--type must be one of f32, f16, bf16, q8_0, q6_k, q5_1, q5_0, q4_k, q4_1, q4_0, mxfp4, got "q9_0"',
    ],
    [["--type", "q6_k"], '--type must be one of f32, f16, bf16, q8_0 with --to hf, got "q6_k"'],
  ])("%j is wrong usage, and nothing is written", async (flags, message) => {
    const path = join(out, "wrong");
    const result = await runCommand(["convert", folder, path, ...flags]);
    expect(result).toEqual({ code: 2, stdout: "", stderr: `hitherto: ${message}\n` });
    expect(existsSync(path)).toBe(false);
  });
});
