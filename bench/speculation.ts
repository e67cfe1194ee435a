/**
 * `npm run bench:speculation`: what speculative decoding gains over plain decoding of the same model, and what it loses
 * where it cannot gain. Prints a table, and keeps it in `bench/results/`.
 *
 * The target is a 135M-class model of random weights, the draft one of about an eighth of its cost. What is written is
 * settled beforehand (`tokens.forcedTokens`), so that agreement can be: the draft is really run, and proposes the token
 * that comes with the probability of the case. Plain and speculative completions take turns; medians count.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  type GenerationOptions,
  type GenerationStep,
  loadModel,
  type Model,
  type ProposalPlace,
  type Proposer,
  type SpeculationOptions,
  type SpeculationReport,
} from "hitherto";
import { writeRandomGguf } from "./random-gguf.js";
import { type Shape, shapes } from "./shapes.js";

const { values: flags } = parseArgs({
  options: {
    storage: { type: "string", default: "q8_0,q4_0" },
    threads: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    tokens: { type: "string", default: "192" },
    only: { type: "string", default: "" },
    "no-save": { type: "boolean", default: false },
  },
});

const draftShape: Shape = {
  ...shapes["135M"]!,
  hiddenSize: 192,
  layerCount: 16,
  headCount: 3,
  keyValueHeadCount: 1,
  intermediateSize: 512,
};
const [tokens, rounds] = [Number(flags.tokens), Number(flags.rounds)];
/** Tokens before those that count. */
const lead = 32;

/** Pseudo-random numbers in [0, 1), the same in each run. */
function uniforms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Text in which nothing comes twice. */
function openText(count: number, seed: number): number[] {
  const uniform = uniforms(seed);
  return Array.from({ length: count }, () => 1000 + Math.floor(40_000 * uniform()));
}

/** A text that takes runs of 12 to 28 tokens from `source`, and puts two of its own between them. */
function groundedText(source: readonly number[], count: number): number[] {
  const uniform = uniforms(9);
  const text: number[] = [];
  while (text.length < count) {
    const length = 12 + Math.floor(17 * uniform());
    const at = Math.floor(uniform() * (source.length - length));
    text.push(...source.slice(at, at + length), ...openText(2, text.length));
  }
  return text.slice(0, count);
}

/** A text whose pairs of tokens come again and again, each time followed by something else. */
function misleadingText(count: number): number[] {
  return openText(count, 5).map((id, i) => (i % 4 < 2 ? 2000 + (i % 4) : id));
}

/** Runs a draft as it has to be run, and proposes what comes with probability `agreement`, otherwise something else. */
function controlledDraft(
  draft: Model,
  prompt: readonly number[],
  text: readonly number[],
  agreement: number,
): Proposer {
  const uniform = uniforms(3);
  const agrees = text.map(() => uniform() < agreement);
  const started = draft.session([...prompt]);
  return {
    name: `draft that agrees with probability ${agreement}`,
    propose: async ({ ids, count }: ProposalPlace) => {
      const session = await started;
      let same = 0;
      while (same < session.length && session.tokenIds[same] === ids[same]) same++;
      session.rewind(session.length - same);
      session.extend(ids.slice(same));
      const proposed: number[] = [];
      for (let i = 0; i < count; i++) {
        const place = ids.length - prompt.length + i;
        const token = agrees[place] ? text[place]! : 7;
        proposed.push(token);
        await session.logits();
        session.extend([token]);
      }
      return { tokens: proposed };
    },
    dispose: async () => (await started).dispose(),
  };
}

interface Case {
  readonly name: string;
  readonly prompt: readonly number[];
  readonly text: readonly number[];
  readonly speculation: (models: { target: Model; draft: Model }) => SpeculationOptions;
}

const prompt = openText(64, 1);
const open = openText(tokens + lead, 2);
const passage = openText(240, 4);
const drafted = (name: string, agreement: number): Case => ({
  name,
  prompt,
  text: open,
  speculation: ({ draft }) => ({ proposer: controlledDraft(draft, prompt, open, agreement) }),
});
const cases: readonly Case[] = [
  drafted("draft, predictable text: agrees 0.95", 0.95),
  drafted("draft, open text: agrees 0.7", 0.7),
  drafted("draft that is always wrong", 0),
  {
    name: "lookup, text grounded in the input",
    prompt: passage,
    text: groundedText(passage, tokens + lead),
    speculation: () => ({ lookup: true }),
  },
  { name: "lookup, nothing comes again", prompt, text: open, speculation: () => ({ lookup: true }) },
  {
    name: "lookup, what comes again goes on otherwise",
    prompt,
    text: misleadingText(tokens + lead),
    speculation: () => ({ lookup: true }),
  },
  { name: "Jacobi, text that it cannot guess", prompt, text: open, speculation: () => ({ jacobi: true }) },
  { name: "lookahead, text that it cannot guess", prompt, text: open, speculation: () => ({ lookahead: true }) },
];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Milliseconds of a completion, and what speculation reports. A processor takes some steps to run at one speed. */
async function timed(model: Model, { prompt: ids, text }: Case, speculation?: SpeculationOptions) {
  const forcedTokens = Object.fromEntries(text.map((id, i) => [i, id]));
  const options: GenerationOptions = {
    maxTokens: tokens + lead,
    tokens: { forcedTokens },
    stopping: { endIds: false },
  };
  let [started, count] = [0, 0];
  let last: GenerationStep | undefined;
  for await (const step of model.generate(ids, { ...options, speculation })) {
    if (++count === lead) started = performance.now();
    last = step;
  }
  return { time: performance.now() - started, report: last!.speculation };
}

interface Measured {
  readonly storage: string;
  readonly name: string;
  readonly plainTokensPerSecond: number;
  readonly speedUp: number;
  readonly predictedSpeedUp: number;
  readonly report: SpeculationReport;
}

async function measure(storage: string, each: Case, models: { target: Model; draft: Model }): Promise<Measured> {
  const plain: number[] = [];
  const ratios: number[] = [];
  const reports: SpeculationReport[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = (await timed(models.target, each)).time;
    const { time, report } = await timed(models.target, each, each.speculation(models));
    const after = (await timed(models.target, each)).time;
    if (round === 0) continue; // warms up
    plain.push((before + after) / 2);
    ratios.push((before + after) / 2 / time);
    reports.push(report!);
  }
  const predicted = median(reports.map(({ predictedSpeedUp }) => predictedSpeedUp));
  const plainTokensPerSecond = (1000 * tokens) / median(plain);
  return {
    storage,
    name: each.name,
    plainTokensPerSecond,
    speedUp: median(ratios),
    predictedSpeedUp: predicted,
    report: reports.at(-1)!,
  };
}

/** Milliseconds of one run over 1 … 16 tokens behind 128, as a share of the run over one. */
async function verification(model: Model): Promise<Record<string, number>> {
  const { engine } = model;
  const sequence = await engine.sequence();
  const ids = openText(160, 6);
  await engine.advance([{ sequence, ids: ids.slice(0, 128), outputs: "none" }]);
  const sizes = [1, 2, 4, 6, 8, 9, 16];
  const times = new Map<number, number[]>(sizes.map((size) => [size, []]));
  for (let round = 0; round < 10 * rounds; round++) {
    for (const size of sizes) {
      const started = performance.now();
      await engine.advance([{ sequence, ids: ids.slice(128, 128 + size), outputs: "all" }]);
      times.get(size)!.push(performance.now() - started);
      sequence.table.truncate(128);
    }
  }
  sequence.dispose();
  const one = median(times.get(1)!);
  return Object.fromEntries(sizes.map((size) => [size, size === 1 ? one : median(times.get(size)!) / one]));
}

const folder = await mkdtemp(join(tmpdir(), "hitherto-speculation-"));
const results: Measured[] = [];
const runs: Record<string, Record<string, number>> = {};
try {
  for (const storage of flags.storage.split(",")) {
    const load = async (name: string, shape: Shape) => {
      const path = join(folder, `${name}-${storage}.gguf`);
      await writeRandomGguf(path, shape, storage as "q8_0");
      return loadModel(path, { threads: Number(flags.threads), contextLength: 1024 });
    };
    await using target = await load("target", shapes["135M"]!);
    await using draft = await load("draft", draftShape);
    runs[storage] = await verification(target);
    console.log(storage, "a run over so many tokens, in runs over one:", runs[storage]);
    for (const each of cases.filter(({ name }) => name.includes(flags.only))) {
      const measured = await measure(storage, each, { target, draft });
      results.push(measured);
      const { speedUp, predictedSpeedUp, plainTokensPerSecond, report } = measured;
      const { draftCost, verifyCost, meanProposed, meanAccepted, passes, plainSteps, switchedOff } = report;
      console.log(
        `${storage} ${each.name}: ×${speedUp.toFixed(2)} (predicted ×${predictedSpeedUp.toFixed(2)}) of ` +
          `${plainTokensPerSecond.toFixed(0)} tokens/s; c ${draftCost.toFixed(3)}, v ${verifyCost.toFixed(2)}, ` +
          `γ ${meanProposed.toFixed(1)}, accepted ${meanAccepted.toFixed(1)}, ${passes} passes, ${plainSteps} plain, off ${switchedOff}×`,
      );
    }
  }
} finally {
  await rm(folder, { recursive: true });
}
if (!flags["no-save"]) {
  const date = new Date().toISOString().slice(0, 10);
  const path = resolve(import.meta.dirname, "..", "..", "bench", "results", `speculation-${date}.json`);
  await mkdir(resolve(path, ".."), { recursive: true });
  const about = { date, processor: cpus()[0]!.model, threads: Number(flags.threads), tokens, rounds };
  await writeFile(path, `${JSON.stringify({ ...about, runs, results }, undefined, 2)}\n`);
}
