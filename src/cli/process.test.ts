/** What only a real process can show: signals, closed pipes, exit codes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { builtCommand } from "../../test/built-cli.js";
import { temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";

const folder = tinyModel();
const long = ["--context-length", "20000", "--max-tokens", "19000"];
const generate = ["generate", "Hello", "--model", folder, "--backend", "reference"];
let command = "";

beforeAll(() => {
  command = builtCommand();
});

function start(words: readonly string[]): ChildProcess & { text: { stdout: string; stderr: string } } {
  const child = spawn(process.execPath, [command, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  const text = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (text.stdout += chunk));
  child.stderr.on("data", (chunk) => (text.stderr += chunk));
  return Object.assign(child, { text });
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}

describe("the process", () => {
  test("ends by itself with the completion written out", async () => {
    const child = start([...generate, "--max-tokens", "10"]);
    expect(await exitOf(child)).toBe(0);
    expect(child.text.stdout.length).toBeGreaterThan(5);
    expect(child.text.stderr).toBe("");
  });

  test.each([
    [["generate", "--no-such-flag"], 2],
    [["inspect", "no/such/model"], 1],
    [["--version"], 0],
  ])("%j exits with %i", async (words, code) => {
    expect(await exitOf(start(words))).toBe(code);
  });

  test("Ctrl-C ends it after the step with 130; the text so far stays", async () => {
    const child = start([...generate, ...long]);
    await once(child.stdout!, "data");
    child.kill("SIGINT");
    expect(await exitOf(child)).toBe(130);
    expect(child.text.stdout.length).toBeGreaterThan(0);
    expect(child.text.stderr).toBe("");
  });

  test("SIGTERM ends a conversion with 143 and leaves nothing of it", async () => {
    const out = join(temporaryFolder(), "out.gguf");
    const child = start(["convert", "stories", out]);
    const closed = exitOf(child);
    while (!existsSync(`${out}.partial`) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 1));
    child.kill("SIGTERM");
    expect([143, 0]).toContain(await closed); // 0 where it was as quick as the signal
    expect(existsSync(`${out}.partial`)).toBe(false);
  });

  test("Ctrl-C ends training after the step with 130, and saves", async () => {
    const folder = temporaryFolder();
    const config = {
      run: { folder: join(folder, "run") },
      model: { kind: "new", config: { model_type: "gpt2", n_layer: 1, n_head: 1, n_embd: 8 } },
      tokenizer: { kind: "characters" },
      data: { kind: "sort", length: 2 },
      batch: { tokens: 16, contextLength: 8 },
      schedule: { steps: 1_000_000 },
      hardware: { backend: "reference" },
    };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    const child = start(["train", join(folder, "config.json")]);
    const closed = exitOf(child);
    while (!child.text.stderr.includes("step 1/") && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill("SIGINT");
    expect(await closed).toBe(130);
    const [, step] = /stopped after step (\d+); hitherto train --resume /.exec(child.text.stderr)!;
    expect(existsSync(join(folder, "run", "checkpoints", `step-${step}`, "model.safetensors"))).toBe(true);
    expect(child.text.stdout).toBe("");
  });

  test("Ctrl-C while it waits for its prompt ends it too", async () => {
    const child = spawn(process.execPath, [command, ...generate.slice(0, 1), ...generate.slice(2)]);
    const closed = exitOf(child);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    child.kill("SIGINT");
    expect(await closed).toBe(130);
  });

  test("a reader that has had enough ends it quietly", async () => {
    const child = start([...generate, ...long]);
    await once(child.stdout!, "data");
    child.stdout!.destroy();
    expect(await exitOf(child)).toBe(0);
    expect(child.text.stderr).toBe("");
  });
});
