/**
 * A run that is killed at random moments, by a signal that nothing can catch, ends with the bits of one that never
 * was. HITHERTO_KILLS: how often; default 6.
 */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { CounterRandom } from "../../src/core/random.js";
import { builtCommand } from "../built-cli.js";

const kills = Number(process.env.HITHERTO_KILLS ?? 6);
/** More than can be done in so many lives. */
const steps = 40 + 25 * kills;
const program = join(dirname(fileURLToPath(import.meta.url)), "killed-run.mjs");
const folder = mkdtempSync(join(tmpdir(), "hitherto-killed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Life {
  readonly code: number | null;
  readonly signal: string | null;
  /** Steps that it told of. */
  readonly steps: number[];
}

/** When to kill: so many milliseconds after so many steps have been told of, since a busy machine may be slow. */
interface Death {
  readonly steps: number;
  readonly milliseconds: number;
}

function live(checkpoints: string, death?: Death): Promise<Life> {
  const child = spawn(process.execPath, [program, join(dirname(builtCommand()), ".."), checkpoints, String(steps)]);
  let text = "";
  let errors = "";
  let isDoomed = false;
  child.stdout.on("data", (chunk) => {
    text += String(chunk);
    if (death === undefined || isDoomed || linesOf(text).length <= death.steps) return;
    isDoomed = true;
    setTimeout(() => child.kill("SIGKILL"), death.milliseconds);
  });
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  return new Promise((resolve, reject) => {
    child.on("exit", (code, signal) => {
      if (code !== 0 && signal === null) return reject(new Error(errors));
      resolve({ code, signal, steps: linesOf(text).slice(1).map(Number) });
    });
  });
}

/** Whole lines. */
function linesOf(text: string): string[] {
  return text.split("\n").slice(0, -1);
}

function digests(checkpoint: string): string[] {
  const files = readdirSync(checkpoint).sort();
  return files.map((file) => {
    const digest = createHash("sha256")
      .update(readFileSync(join(checkpoint, file)))
      .digest("hex");
    return `${file} ${digest}`;
  });
}

test(`killed ${kills} times, a run ends with the bits of one that was not`, async () => {
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  await live(whole);
  const random = new CounterRandom(Number(process.env.HITHERTO_KILL_SEED ?? 1));
  let [deaths, lost, reached] = [0, 0, 0];
  while (deaths < kills) {
    const { signal, steps: done } = await live(killed, {
      steps: Math.floor(12 * random.uniform(2 * deaths)),
      milliseconds: 20 * random.uniform(2 * deaths + 1),
    });
    expect(signal, `killed at step ${done.at(-1)} of ${steps}`).toBe("SIGKILL");
    deaths++;
    // At most the steps since the last checkpoint are done again, and the one whose end was not told.
    if (done.length > 0) {
      lost = Math.max(lost, reached - done[0]! + 1);
      reached = Math.max(reached, done.at(-1)!);
    }
  }
  expect(lost).toBeLessThanOrEqual(5);
  expect(reached).toBeGreaterThan(0);
  const { code } = await live(killed);
  expect(code).toBe(0);
  expect(digests(join(killed, `step-${steps}`))).toEqual(digests(join(whole, `step-${steps}`)));
  expect(readdirSync(killed).sort()).toEqual(readdirSync(whole).sort());
}, 600_000);
