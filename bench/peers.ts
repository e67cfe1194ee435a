/**
 * `npm run bench:peers`: Hitherto beside llama.cpp (node-llama-cpp) and llama2.c on the same shapes, threads and machine,
 * in one run. Prints a table of medians and ratios, and keeps it in `bench/results/`.
 *
 * Each engine runs in a process of its own, in turn, several rounds; the median round counts.
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { installedPeer } from "./install-peers.js";
import { writeLlama2c } from "./llama2c-file.js";
import { writeRandomGguf } from "./random-gguf.js";
import { shapes } from "./shapes.js";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..", "..");
const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    llama2c: { type: "string", default: process.env.LLAMA2C ?? "" },
    "no-save": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const cases = [
  ["260K", "f32"],
  ["15M", "f32"],
  ["15M", "q8_0"],
  ["15M", "q4_0"],
  ["135M", "f16"],
  ["135M", "q8_0"],
  ["135M", "q4_0"],
  ["1.1B", "q8_0"],
  ["1.1B", "q4_0"],
] as const;

interface Speed {
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}
type Engine = "hitherto" | "hitherto-vnni" | "hitherto-wasm" | "hitherto-avx2" | "llama.cpp" | "llama2.c";

if (flags.help) {
  console.log(`npm run bench:peers -- [--only 15M,135M] [--threads 2] [--rounds 3] [--llama2c PATH] [--no-save]
--llama2c (or LLAMA2C): the program \`run\` of karpathy/llama2.c, built with
  cc -Ofast -march=native -fopenmp run.c -lm -o run
Without it its column is left out.`);
} else {
  await main();
}

async function main(): Promise<void> {
  const folder = join(tmpdir(), "hitherto-bench");
  await mkdir(folder, { recursive: true });
  await installedPeer("node-llama-cpp");
  const results: object[] = [];
  console.log(
    `${cpus()[0]?.model.trim()}, ${flags.threads} threads, medians of ${flags.rounds} rounds, tokens per second\n`,
  );
  console.log("shape  type  engine          prefill  decode  ratio prefill  ratio decode");
  for (const [shape, storage] of cases) {
    if (flags.only !== "" && !flags.only.split(",").includes(shape)) continue;
    const path = join(folder, `${shape}-${storage}.gguf`);
    if (!existsSync(path)) await writeRandomGguf(path, shapes[shape]!, storage);
    const speeds = await measure(path, shape, storage);
    // Small models lie in the caches, whose bandwidth is not what this measures.
    const bound = ["135M", "1.1B"].includes(shape)
      ? await decodeBound(path, speeds.get("hitherto")!.decodeTokensPerSecond)
      : undefined;
    results.push({ shape, storage, ...Object.fromEntries(speeds), decodeBound: bound });
    printRows(shape, storage, speeds);
    if (bound !== undefined) {
      console.log(
        `${shape.padEnd(6)} ${storage.padEnd(5)} ${"memory allows".padEnd(14)} ${"".padStart(8)} ` +
          `${bound.tokensPerSecond.toFixed(0).padStart(7)}  of which Hitherto reaches ${(bound.reached * 100).toFixed(0)} %`,
      );
    }
  }
  if (flags["no-save"]) return;
  const date = new Date().toISOString().slice(0, 10);
  const file = join(root, "bench", "results", `peers-${date}.json`);
  const processor = cpus()[0]?.model.trim();
  await writeFile(file, `${JSON.stringify({ date, processor, threads: Number(flags.threads), results }, null, 2)}\n`);
  console.log(`\nkept in bench/results/peers-${date}.json`);
}

/** All engines in turn, `rounds` times; the median of each. */
async function measure(path: string, shape: string, storage: string): Promise<Map<Engine, Speed>> {
  const engines = new Map<Engine, () => Promise<Speed>>([
    ["hitherto", () => hitherto(path)],
    ["llama.cpp", () => llamaCpp(path)],
  ]);
  // What is left without matrix units.
  if (storage.startsWith("q") && hasMatrixUnits()) {
    engines.set("hitherto-vnni", () => hitherto(path, "--instruction-set", "avx512_vnni"));
  }
  if (shape !== "1.1B" && storage !== "q4_0") {
    engines.set("hitherto-avx2", () => hitherto(path, "--instruction-set", "avx2"));
    engines.set("hitherto-wasm", () => hitherto(path, "--backend", "wasm"));
  }
  if (flags.llama2c !== "" && storage === "f32") engines.set("llama2.c", () => llama2c(path, shape));
  const all = new Map<Engine, Speed[]>();
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const [engine, speed] of engines) all.set(engine, [...(all.get(engine) ?? []), await speed()]);
  }
  return new Map([...all].map(([engine, speeds]) => [engine, medians(speeds)]));
}

function hasMatrixUnits(): boolean {
  return existsSync("/proc/cpuinfo") && readFileSync("/proc/cpuinfo", "utf8").includes("amx_int8");
}

interface DecodeBound {
  readonly tokensPerSecond: number;
  /** How much of it Hitherto's median reaches. */
  readonly reached: number;
}

/** Tokens per second that reading weights and cache allows, by the bandwidth measured now. */
async function decodeBound(path: string, decoded: number): Promise<DecodeBound> {
  const { stdout } = await run("node", [
    ...[join(root, "dist/cli/main.js"), "bench", "--model", path, "--prefill", "512", "--decode", "64"],
    ...["--threads", flags.threads, "--repeat", "1", "--profile", "--json"],
  ]);
  const { profile } = JSON.parse(stdout) as { profile: { decode: { bound: { tokensPerSecond: number } } } };
  const { tokensPerSecond } = profile.decode.bound;
  return { tokensPerSecond, reached: decoded / tokensPerSecond };
}

async function hitherto(path: string, ...extra: string[]): Promise<Speed> {
  const options = ["--prefill", "512", "--decode", "64", "--threads", flags.threads, "--repeat", "3", "--json"];
  if (path.includes("260K")) options[1] = "256";
  const { stdout } = await run("node", [
    join(root, "dist/cli/main.js"),
    "bench",
    "--model",
    path,
    ...options,
    ...extra,
  ]);
  return JSON.parse(stdout) as Speed;
}

async function llamaCpp(path: string): Promise<Speed> {
  const prefill = path.includes("260K") ? "256" : "512";
  const script = join(root, "bench/peers/llama-cpp.mjs");
  const { stdout } = await run("node", [script, path, prefill, "64", flags.threads, "3"]);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Speed;
}

/** llama2.c has no prefill: it decodes every token. */
async function llama2c(path: string, shape: string): Promise<Speed> {
  const file = path.replace(/\.gguf$/, ".bin");
  if (!existsSync(file)) await writeLlama2c(file, shapes[shape]!);
  const env = { ...process.env, OMP_NUM_THREADS: shape === "260K" ? "1" : flags.threads };
  const { stderr } = await run(flags.llama2c, [file, "-z", file.replace(/\.bin$/, ".tok"), "-t", "0", "-n", "256"], {
    env,
  });
  const rate = Number(/achieved tok\/s: ([\d.]+)/.exec(stderr)?.[1] ?? Number.NaN);
  return { prefillTokensPerSecond: Number.NaN, decodeTokensPerSecond: rate };
}

function medians(speeds: readonly Speed[]): Speed {
  const median = (key: keyof Speed) =>
    speeds.map((each) => each[key]).sort((a, b) => a - b)[Math.floor(speeds.length / 2)]!;
  return {
    prefillTokensPerSecond: median("prefillTokensPerSecond"),
    decodeTokensPerSecond: median("decodeTokensPerSecond"),
  };
}

/** Ratios are Hitherto's speed over the engine's. */
function printRows(shape: string, storage: string, speeds: ReadonlyMap<Engine, Speed>): void {
  const ours = speeds.get("hitherto")!;
  const number = (value: number, width: number, digits = 0) =>
    (Number.isFinite(value) ? value.toFixed(digits) : "–").padStart(width);
  for (const [engine, speed] of speeds) {
    const ratios = [
      ours.prefillTokensPerSecond / speed.prefillTokensPerSecond,
      ours.decodeTokensPerSecond / speed.decodeTokensPerSecond,
    ];
    console.log(
      `${shape.padEnd(6)} ${storage.padEnd(5)} ${engine.padEnd(14)} ${number(speed.prefillTokensPerSecond, 8)} ` +
        `${number(speed.decodeTokensPerSecond, 7)} ${number(ratios[0]!, 14, 2)} ${number(ratios[1]!, 13, 2)}`,
    );
  }
}
