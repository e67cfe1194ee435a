/**
 * Checks that no instruction set has become slower: each is timed against a plain C loop (`kernels/plain_loop.c`) in
 * the same run, and how many times faster it is must not fall more than 15 % below what was recorded for this processor.
 *
 *   npm run bench:instruction-sets              compares with bench/results/instruction-sets.json
 *   BENCH_RECORD=1 npm run bench:instruction-sets   records this processor's ratios there
 *
 * On a processor that is not recorded, the ratios are printed and nothing fails. Ratios are of best times, for a busy
 * machine only ever adds to them: kernel and loop take turns, and a case that seems slow is timed on before it counts.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { afterAll, describe, expect, test } from "vitest";
import { RandomNumbers } from "../src/backends/conformance/random-numbers.js";
import { drawStored, type KnownStorage } from "../src/backends/conformance/stored-values.js";
import { CpuBackend } from "../src/backends/cpu/cpu-backend.js";
import type { CpuProgram } from "../src/backends/cpu/cpu-program.js";
import { instructionWords } from "../src/backends/cpu/instructions.js";
import { CpuMemory } from "../src/backends/cpu/memory.js";
import { createNativeRuntime, nativeInstructionSets } from "../src/backends/cpu/native-runtime.node.js";
import { NodeWasmHost } from "../src/backends/cpu/wasm-host.node.js";
import { createWasmRuntime } from "../src/backends/cpu/wasm-runtime.js";
import { Graph } from "../src/graph/graph.js";
import { attention } from "../src/graph/operations/attention.js";
import { linear } from "../src/graph/operations/linear.js";

/** What a ratio may lose against the recorded one. */
const allowedLoss = 0.15;
/** Milliseconds that an attempt takes at least; attempts before a case counts as slower, and for what is recorded. */
const [attemptMs, attempts, recordedAttempts] = [40, 12, 5];

/** Multiply-adds of `kernels/plain_loop.c` as it is timed here: [64, 512] by one row, which a first-level cache feeds. */
const [loopOut, loopWidth] = [64, 512];
/** A matrix that a second-level cache holds as float32. All runs are short: a long one is sure to be interrupted. */
const [out, width] = [288, 576];
const [headCount, headDim, blockSize, context] = [2, 64, 16, 256];

// WebAssembly is optimised at once, or a busy machine would compare code of V8's first compiler with that of its second.
setFlagsFromString("--no-liftoff");

const file = join(import.meta.dirname, "results", "instruction-sets.json");

/** Ratios by processor, then by case. */
type Records = Record<string, Record<string, number>>;

const records: Records = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Records) : {};
const processor = processorName();
const recorded = records[processor];
const measured: Record<string, number> = {};
const recording = process.env.BENCH_RECORD === "1";

/** Vendors name several processors alike; family, model and stepping tell them apart. */
function processorName(): string {
  const info = existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "";
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(info)?.[1];
  const numbers = ["cpu family", "model", "stepping"].map((name) => field(name) ?? "?");
  return `${cpus()[0]?.model ?? "unknown"} (${numbers.join("/")}), ${process.platform}-${process.arch}`;
}

interface Kernel {
  readonly program: CpuProgram;
  readonly rows: number;
  /** Multiply-adds of one run. */
  readonly work: number;
}

async function linearKernel(backend: CpuBackend, storage: KnownStorage, rows: number): Promise<Kernel> {
  const graph = new Graph();
  const x = graph.input("x", [graph.dimension("rows", rows), width], "f32");
  const y = linear(x, graph.parameter("w", [out, width]));
  const bytes = drawStored(storage, out * width, new RandomNumbers(1));
  const rowBytes = bytes.length / out;
  const readRows = async (first: number, count: number, into: Uint8Array): Promise<void> =>
    into.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
  const w = await backend.loadMatrix({ name: "w", shape: [out, width], storage, readRows });
  const program = backend.compile(graph, { resources: new Map([["w", w]]), outputs: [y] }) as CpuProgram;
  program.floats(x).fill(0.5);
  return { program, rows, work: rows * out * width };
}

/** The last `rows` of `context` tokens, causal. */
async function attentionKernel(backend: CpuBackend, rows: number): Promise<Kernel> {
  const graph = new Graph();
  const [tokens, blocks] = [graph.dimension("rows", rows), context / blockSize];
  const query = graph.input("query", [tokens, headCount * headDim], "f32");
  const state = (name: string) => graph.state(name, [blocks, headCount * headDim * blockSize]);
  const indices = (name: string) => graph.input(name, [tokens], "i32");
  const [keys, values] = [state("keys"), state("values")];
  const [blockTables, sequences, visible] = [
    graph.input("blockTables", [1, blocks], "i32"),
    indices("sequences"),
    indices("visible"),
  ];
  const heads = { headCount, keyValueHeadCount: headCount, headDim, scale: 0.125, softCap: 0, window: 0 };
  const shape = { ...heads, blockSize, keyCodec: "f32", valueCodec: "f32" } as const;
  const y = attention({ query, keys, values, blockTables, sequences, visible }, shape);
  const resources = new Map(
    ["keys", "values"].map((name) => [name, backend.allocateState(context * headCount * headDim)]),
  );
  const program = backend.compile(graph, { resources, outputs: [y] }) as CpuProgram;
  program.floats(query).fill(0.5);
  program.integers(blockTables).set(Array.from({ length: blocks }, (_, block) => block));
  const sees = Array.from({ length: rows }, (_, row) => context - rows + row + 1);
  program.integers(visible).set(sees);
  return { program, rows, work: 2 * headCount * headDim * sees.reduce((sum, each) => sum + each, 0) };
}

/** Nanoseconds of one run. */
function timeKernel({ program, rows }: Kernel): number {
  program.startProfile();
  program.run({ rows });
  return program.stopProfile().reduce((sum, { nanoseconds }) => sum + nanoseconds, 0);
}

/** The plain loop on a backend; gives the nanoseconds of one run. */
function plainLoop({ runtime }: CpuBackend): () => number {
  const memory = [loopOut, loopWidth, loopOut * loopWidth].map((count) => new CpuMemory(runtime, count * 4));
  const args = [...memory.map(({ address }) => address), loopOut, loopWidth];
  const words = BigInt64Array.from(instructionWords("plain_loop", { fixed: 1 }, 1, args));
  const [plan, times] = [new CpuMemory(runtime, words.byteLength), new CpuMemory(runtime, 8)];
  plan.write(words);
  return () => {
    times.longs()[0] = 0n;
    runtime.run(plan.address, words.length, 0, times.address);
    return Number(times.longs()[0]);
  };
}

/** The best times of a kernel and of the plain loop so far. */
class Contest {
  #kernelTime = Number.POSITIVE_INFINITY;
  #loopTime = Number.POSITIVE_INFINITY;

  constructor(
    readonly kernel: Kernel,
    readonly loop: () => number,
  ) {}

  /** How many times as many multiply-adds in a second as the plain loop, after one more attempt. */
  attempt(): number {
    const end = performance.now() + attemptMs;
    for (let i = 0; i < 5 || performance.now() < end; i++) {
      this.#kernelTime = Math.min(this.#kernelTime, timeKernel(this.kernel));
      this.#loopTime = Math.min(this.#loopTime, this.loop());
    }
    return this.kernel.work / this.#kernelTime / ((loopOut * loopWidth) / this.#loopTime);
  }
}

function describeSet(set: string, make: () => Promise<CpuBackend>): void {
  describe(set, () => {
    // The definition, for comparing with: it takes a hundred times as long, so it is asked for less.
    const many = set.endsWith("scalar") ? 2 : 128;
    const check = (title: string, kernelOn: (backend: CpuBackend) => Promise<Kernel>) => {
      test(title, { timeout: 30_000 }, async () => {
        const backend = await make();
        const contest = new Contest(await kernelOn(backend), plainLoop(backend));
        const name = `${set}, ${title}`;
        const before = recorded?.[name];
        const wanted = before === undefined || recording ? 0 : (1 - allowedLoss) * before;
        let ratio = contest.attempt();
        for (let i = 1; i < attempts && (recording ? i < recordedAttempts : ratio < wanted); i++)
          ratio = contest.attempt();
        measured[name] = ratio;
        await backend.dispose();
        expect(ratio, `times the plain loop; recorded: ${before}`).toBeGreaterThanOrEqual(wanted);
      });
    };
    for (const storage of ["f32", "f16", "q8_0", "q4_0"] as const) {
      for (const rows of [1, many]) {
        check(`linear ${storage}, ${rows} rows`, (backend) => linearKernel(backend, storage, rows));
      }
    }
    for (const rows of [1, many]) check(`attention, ${rows} rows`, (backend) => attentionKernel(backend, rows));
  });
}

for (const set of nativeInstructionSets()) {
  describeSet(`native ${set}`, async () => new CpuBackend(createNativeRuntime({ instructionSet: set, threads: 1 })!));
}
const host = new NodeWasmHost();
for (const set of host.instructionSets()) {
  const options = { instructionSet: set, threads: 1 };
  describeSet(`wasm ${set}`, async () => new CpuBackend(await createWasmRuntime(host, options)));
}

afterAll(() => {
  const rows = Object.entries(measured).map(([name, ratio]) => {
    const before = recorded?.[name];
    const change = before === undefined ? "" : `${(100 * (ratio / before - 1)).toFixed(0).padStart(5)} %`;
    return `${name.padEnd(44)}${ratio.toFixed(2).padStart(9)}${change}`;
  });
  const title = recorded === undefined ? `${processor} is not recorded: nothing is compared` : processor;
  console.log(["times as fast as the plain loop", title, ...rows].join("\n"));
  if (!recording) return;
  const rounded = Object.fromEntries(
    Object.entries(measured).map(([name, ratio]) => [name, Number(ratio.toPrecision(4))]),
  );
  writeFileSync(file, `${JSON.stringify({ ...records, [processor]: rounded }, undefined, 2)}\n`);
});
