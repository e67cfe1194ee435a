/**
 * `npm run bench:training`: a step of training beside PyTorch's on the CPU (bfloat16 autocast, its fused attention, its
 * fused AdamW), on the same shapes, batches and threads, in one run. Prints a table, and keeps it in `bench/results/`.
 *
 * HITHERTO_PYTHON names a Python that has torch; without it there is no column for PyTorch. Each side runs in a process of
 * its own, in turn, several rounds; the median round counts. Operations of a step: 6 for each weight and token, and 12
 * × layers × width × context for each token, as is usual for such figures.
 */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "..", "..");

interface TrainedShape {
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly context: number;
  readonly batch: number;
}

const vocabulary = 65;
const shapes: Readonly<Record<string, TrainedShape>> = {
  "10.75M": { layers: 6, heads: 6, width: 384, context: 256, batch: 16 },
  "0.81M": { layers: 4, heads: 4, width: 128, context: 64, batch: 64 },
};

/** What one process found out. */
interface Measured {
  readonly version: string;
  readonly parameters: number;
  readonly secondsPerStep: number;
  readonly peakBytes: number;
  readonly losses: readonly number[];
}

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: Object.keys(shapes).join(",") },
    threads: { type: "string", default: "2" },
    steps: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    "micro-batch": { type: "string", default: "" },
    ours: { type: "string", default: "" },
    "no-save": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (flags.help)
  console.log(
    "npm run bench:training -- [--only 10.75M,0.81M] [--threads 2] [--steps 10] [--rounds 3] [--micro-batch TOKENS]",
  );
else if (flags.ours !== "") console.log(JSON.stringify(await trainHere(shapes[flags.ours]!)));
else await compare();

async function compare(): Promise<void> {
  const python = process.env.HITHERTO_PYTHON;
  const results: object[] = [];
  console.log(`${cpus()[0]?.model.trim()}, ${flags.threads} threads, medians of ${flags.rounds} rounds\n`);
  console.log("shape   engine     tokens/s  TFLOP/s  peak MB  ratio");
  for (const name of flags.only.split(",")) {
    const shape = shapes[name]!;
    const rounds: Record<"hitherto" | "pytorch", Measured[]> = { hitherto: [], pytorch: [] };
    for (let round = 0; round < Number(flags.rounds); round++) {
      if (python !== undefined) rounds.pytorch.push(await measureTorch(python, shape));
      rounds.hitherto.push(await measureOurs(name));
    }
    const [ours, theirs] = [rounds.hitherto, rounds.pytorch].map((all) => summaryOf(shape, all));
    printRow(name, "hitherto", ours!, theirs && ours!.tokensPerSecond / theirs.tokensPerSecond);
    if (theirs !== undefined) printRow(name, `torch ${theirs.version}`, theirs);
    results.push({ name, ...shape, threads: Number(flags.threads), hitherto: ours, pytorch: theirs });
  }
  if (flags["no-save"]) return;
  const date = new Date().toISOString().slice(0, 10);
  await mkdir(join(root, "bench", "results"), { recursive: true });
  const path = join(root, "bench", "results", `training-${date}.json`);
  await writeFile(path, `${JSON.stringify({ date, processor: cpus()[0]?.model.trim(), results }, null, 2)}\n`);
}

function summaryOf({ batch, context, layers, width }: TrainedShape, rounds: readonly Measured[]) {
  const ordered = [...rounds].sort((a, b) => a.secondsPerStep - b.secondsPerStep);
  const median = ordered[Math.floor(ordered.length / 2)];
  if (median === undefined) return undefined;
  const { secondsPerStep, parameters, version, losses } = median;
  const tokens = batch * context;
  const operations = tokens * (6 * parameters + 12 * layers * width * context);
  return {
    version,
    parameters,
    secondsPerStep,
    tokensPerSecond: tokens / secondsPerStep,
    teraflops: operations / secondsPerStep / 1e12,
    peakMegabytes: Math.max(...rounds.map(({ peakBytes }) => peakBytes)) / 1e6,
    lastLoss: losses.at(-1),
  };
}

function printRow(name: string, engine: string, row: NonNullable<ReturnType<typeof summaryOf>>, ratio?: number): void {
  const cells = [row.tokensPerSecond.toFixed(0).padStart(8), row.teraflops.toFixed(2).padStart(8)];
  cells.push(row.peakMegabytes.toFixed(0).padStart(8), ratio === undefined ? "" : ` ${ratio.toFixed(2)}x`);
  console.log(`${name.padEnd(7)} ${engine.slice(0, 10).padEnd(10)} ${cells.join(" ")}`);
}

async function measureTorch(python: string, shape: TrainedShape): Promise<Measured> {
  const script = join(root, "bench", "peers", "torch_training.py");
  const given = { ...shape, vocabulary, threads: flags.threads, steps: flags.steps };
  const { stdout } = await run(python, [
    script,
    ...Object.entries(given).flatMap(([key, value]) => [`--${key}`, `${value}`]),
  ]);
  return JSON.parse(stdout) as Measured;
}

/** In a process of its own, so that peaks of memory and threads are told apart. */
async function measureOurs(name: string): Promise<Measured> {
  const same = ["threads", "steps", "micro-batch"] as const;
  const args = same.flatMap((flag) => (flags[flag] === "" ? [] : [`--${flag}`, flags[flag]]));
  const { stdout } = await run(process.execPath, [fileURLToPath(import.meta.url), "--ours", name, ...args]);
  return JSON.parse(stdout) as Measured;
}

/** Trains on made-up ids, two steps to warm up first, as the other side does. */
async function trainHere({ layers, heads, width, context, batch }: TrainedShape): Promise<Measured> {
  // Its types as they were built, like those of the rest of the package.
  const { createBackend } = (await import("hitherto" as string)) as typeof import("../dist/index.node.js");
  const training = (await import("hitherto/training" as string)) as typeof import("../dist/training/index.node.js");
  const { idDataset, TrainableModel, train } = training;
  const backend = await createBackend({ backend: "native", threads: Number(flags.threads) });
  const config = { model_type: "gpt2", n_layer: layers, n_head: heads, n_embd: width, n_positions: context };
  const model = TrainableModel.create(
    { ...config, vocab_size: vocabulary, activation_function: "gelu" },
    { backend, seed: 1 },
  );
  const tokens = batch * context;
  const steps = Number(flags.steps) + 2;
  const target = Int32Array.from({ length: tokens * steps + 1 }, () => Math.floor(Math.random() * vocabulary));
  const data = idDataset("text", [{ target }], { vocabSize: vocabulary, packing: "windows" });
  const losses: number[] = [];
  const seconds: number[] = [];
  let began = performance.now();
  for await (const { loss } of train(model, data, {
    batch: { tokens, contextLength: context, ...microBatch() },
    optimizer: { kind: "adamw", learningRate: 1e-3, beta1: 0.9, beta2: 0.99, weightDecay: 0.1, clipNorm: 1 },
    schedule: { kind: "constant", steps },
    compute: { precision: "bf16" },
  })) {
    losses.push(loss);
    seconds.push((performance.now() - began) / 1000);
    began = performance.now();
  }
  const parameters = [...model.parameters.values()].reduce((sum, { state }) => sum + state.data.length, 0);
  const secondsPerStep = seconds.slice(2).sort((a, b) => a - b)[Math.floor((seconds.length - 2) / 2)]!;
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const version = backend.instructionSet ?? backend.name;
  model.dispose();
  await backend.dispose();
  return { version, parameters, secondsPerStep, peakBytes, losses };
}

function microBatch(): { microBatchTokens?: number } {
  return flags["micro-batch"] === "" ? {} : { microBatchTokens: Number(flags["micro-batch"]) };
}
