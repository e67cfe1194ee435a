/**
 * `npm run bench:browser`: Hitherto's WebAssembly beside wllama (llama.cpp as WebAssembly) in one page of headless
 * Chromium, on the same GGUF files, tokens and threads, in one run; and Hitherto's WebAssembly in Node, where wllama
 * does not run. Prints medians and ratios, and keeps them in `bench/results/`.
 *
 * The engines take turns, several rounds, each loaded anew and alone in the page.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { chromium, type Page } from "playwright-core";
import { measureHitherto, measureWllama, type PageAnswer, type PageTask } from "./browser-page.js";
import { installedPeer } from "./install-peers.js";
import { writeRandomGguf } from "./random-gguf.js";
import { shapes } from "./shapes.js";
import { serve } from "./site.js";

const root = resolve(import.meta.dirname, "..", "..");
const folder = join(tmpdir(), "hitherto-bench");
const prefill = 512;
const decode = 64;

const { values: flags } = parseArgs({
  options: {
    only: { type: "string", default: "15M,135M" },
    storage: { type: "string", default: "q8_0" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    repeat: { type: "string", default: "2" },
    engines: { type: "string", default: "" },
    "no-save": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** Tokens per second, medians over all rounds. */
interface Speed {
  readonly engine: string;
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}
type Measure = () => Promise<Pick<PageAnswer, "engine" | "prefill" | "decode">>;

const engines = ["chromium", "chromium simd128", "wllama", "node", "node simd128"] as const;
type Engine = (typeof engines)[number];

const pageSource = `<!doctype html>
<title>bench</title>
<script type="importmap">{ "imports": { "@huggingface/jinja": "/jinja/index.js" } }</script>
<script type="module">
  globalThis.hitherto = await import("/dist/index.js");
  globalThis.wllama = await import("/wllama/esm/index.js");
  globalThis.ready = true;
</script>`;

/** The vocabulary of `random-gguf.ts` has bytes and no merges: the beginning, three bytes of a space, one per letter. */
const prompt = Array.from({ length: prefill - 4 }, (_, i) => String.fromCharCode(97 + ((i * 7) % 26))).join("");

if (flags.help) {
  console.log(`npm run bench:browser -- [--only 15M,135M] [--storage q8_0] [--threads 2] [--rounds 3] [--repeat 2]
  [--engines ${engines.join(",")}] [--no-save]
CHROMIUM names the browser; /usr/bin/chromium unless given.`);
} else {
  await main();
}

async function main(): Promise<void> {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) {
    console.error("no Chromium: name one with CHROMIUM");
    process.exitCode = 1;
    return;
  }
  const wllama = await installedPeer("@wllama/wllama");
  const { version } = JSON.parse(await readFile(join(wllama, "package.json"), "utf8")) as { version: string };
  await mkdir(folder, { recursive: true });
  const jinja = join(root, "node_modules/@huggingface/jinja/dist");
  const site = await serve(pageSource, { dist: join(root, "dist"), jinja, wllama, models: folder });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--no-first-run"] });
  try {
    const page = await browser.newPage();
    await page.goto(site.address);
    await page.waitForFunction("globalThis.ready === true");
    console.log(
      `${cpus()[0]?.model.trim()}, ${flags.threads} threads, Chromium ${browser.version()}, ${process.version}`,
    );
    console.log(`wllama ${version}; medians of ${flags.rounds} rounds, tokens per second\n`);
    console.log("shape  type  engine             prefill  decode  ours/wllama: prefill  decode");
    const results: object[] = [];
    for (const shape of flags.only.split(",")) {
      const speeds = await measure(page, shape);
      results.push({ shape, storage: flags.storage, ...Object.fromEntries(speeds) });
      printRows(shape, speeds);
    }
    if (!flags["no-save"]) await save({ chromium: browser.version(), node: process.version, wllama: version }, results);
  } finally {
    await browser.close();
    await site.close();
  }
}

/** All engines in turn, `rounds` times; the medians of each. */
async function measure(page: Page, shape: string): Promise<Map<Engine, Speed>> {
  const name = `${shape}-${flags.storage}.gguf`;
  const path = join(folder, name);
  if (!existsSync(path)) await writeRandomGguf(path, shapes[shape]!, flags.storage as "q8_0");
  const threads = Number(flags.threads);
  const task = { file: `/models/${name}`, prompt, prefill, decode, threads, repeat: Number(flags.repeat) };
  const ways: Record<Engine, Measure> = {
    chromium: () => inPage(page, measureHitherto, task),
    "chromium simd128": () => inPage(page, measureHitherto, { ...task, instructionSet: "simd128" }),
    wllama: () => inPage(page, measureWllama, task),
    node: () => inNode(path),
    "node simd128": () => inNode(path, "--instruction-set", "simd128"),
  };
  const chosen = engines.filter((engine) => flags.engines === "" || flags.engines.split(",").includes(engine));
  const answers = new Map<Engine, Awaited<ReturnType<Measure>>[]>();
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const engine of chosen) answers.set(engine, [...(answers.get(engine) ?? []), await ways[engine]()]);
  }
  return new Map([...answers].map(([engine, list]) => [engine, summary(list)]));
}

async function inPage(page: Page, measureEngine: (task: PageTask) => Promise<PageAnswer>, task: PageTask) {
  const answer = await page.evaluate(measureEngine, task);
  if (!answer.isolated || answer.threads !== task.threads) {
    throw new Error(`${answer.engine}: ${answer.threads} threads, isolated: ${answer.isolated}`);
  }
  return answer;
}

async function inNode(path: string, ...extra: string[]) {
  const sizes = ["--prefill", String(prefill), "--decode", String(decode), "--repeat", flags.repeat];
  const options = ["--model", path, "--backend", "wasm", "--threads", flags.threads, "--json", ...sizes, ...extra];
  const { stdout } = await promisify(execFile)("node", [join(root, "dist/cli/main.js"), "bench", ...options]);
  const answer = JSON.parse(stdout) as Record<"prefillTokensPerSecond" | "decodeTokensPerSecond", number> & {
    readonly instructionSet: string;
  };
  return {
    engine: `hitherto ${answer.instructionSet}`,
    prefill: [answer.prefillTokensPerSecond],
    decode: [answer.decodeTokensPerSecond],
  };
}

function summary(list: readonly Awaited<ReturnType<Measure>>[]): Speed {
  const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
  return {
    engine: list[0]!.engine,
    prefillTokensPerSecond: median(list.flatMap((each) => each.prefill)),
    decodeTokensPerSecond: median(list.flatMap((each) => each.decode)),
  };
}

/** Ratios are an engine's speed over wllama's in the page; what runs in Node is compared with that too. */
function printRows(shape: string, speeds: ReadonlyMap<Engine, Speed>): void {
  const peer = speeds.get("wllama");
  for (const [engine, speed] of speeds) {
    const ratio = (key: "prefillTokensPerSecond" | "decodeTokensPerSecond", width: number) =>
      (peer === undefined ? "–" : (speed[key] / peer[key]).toFixed(2)).padStart(width);
    console.log(
      `${shape.padEnd(6)} ${flags.storage.padEnd(5)} ${engine.padEnd(17)} ` +
        `${speed.prefillTokensPerSecond.toFixed(0).padStart(8)} ${speed.decodeTokensPerSecond.toFixed(0).padStart(7)} ` +
        `${ratio("prefillTokensPerSecond", 21)} ${ratio("decodeTokensPerSecond", 7)}`,
    );
  }
}

async function save(versions: object, results: readonly object[]): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const head = { date, processor: cpus()[0]?.model.trim(), threads: Number(flags.threads), ...versions };
  const file = join(root, "bench", "results", `browser-${date}.json`);
  await writeFile(file, `${JSON.stringify({ ...head, results }, null, 2)}\n`);
  console.log(`\nkept in bench/results/browser-${date}.json`);
}
