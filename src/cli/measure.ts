/** Times a model through the path that everybody uses: a session that is prefilled, then generates. */
import { readFileSync } from "node:fs";
import { Breather } from "../core/breathe.js";
import { CounterRandom } from "../core/random.js";
import { generate } from "../generation/generate.js";
import type { Model } from "../generation/model.js";

export interface MeasureOptions {
  /** Tokens of the prompt. */
  readonly prefill: number;
  /** Decode steps that are timed, after the first token. */
  readonly decode: number;
  /** Runs of which the medians are taken; one more goes before them uncounted. */
  readonly repeat: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Medians over the runs. */
export interface Measurement {
  /** Prompt tokens ÷ the time until the logits after the last of them. */
  readonly prefillTokensPerSecond: number;
  /** Decode steps ÷ the time they took together; the first token, which the prefill gives, is not among them. */
  readonly decodeTokensPerSecond: number;
  /** From asking for a session to the first token in hand, tokenization apart. */
  readonly timeToFirstTokenMs: number;
}

export async function measure(model: Model, options: MeasureOptions): Promise<Measurement> {
  const { prefill, repeat, onProgress } = options;
  const runs: Measurement[] = [];
  const breather = new Breather();
  for (let run = 0; run <= repeat; run++) {
    const ids = randomIds(model, prefill, run);
    const measured = await measureOnce(model, ids, options);
    if (run > 0) runs.push(measured);
    onProgress?.(run + 1, repeat + 1);
    await breather.breathe();
  }
  const medianOf = (key: keyof Measurement) => median(runs.map((each) => each[key]));
  return {
    prefillTokensPerSecond: medianOf("prefillTokensPerSecond"),
    decodeTokensPerSecond: medianOf("decodeTokensPerSecond"),
    timeToFirstTokenMs: medianOf("timeToFirstTokenMs"),
  };
}

async function measureOnce(model: Model, ids: readonly number[], options: MeasureOptions): Promise<Measurement> {
  const { decode, signal } = options;
  const start = performance.now();
  using session = await model.session(model.config.kind === "encoder-decoder" ? { source: ids } : ids);
  await session.logits(signal);
  const prefilled = performance.now();
  let first = prefilled;
  const generation = generate(
    () => session,
    { maxTokens: decode + 1, stopping: { endIds: false }, ...(signal && { signal }) },
    [],
  );
  for await (const _ of generation) if (first === prefilled) first = performance.now();
  return {
    prefillTokensPerSecond: perSecond(ids.length, prefilled - start),
    decodeTokensPerSecond: perSecond(decode, performance.now() - first),
    timeToFirstTokenMs: first - start,
  };
}

/** Most memory that the process has had in use at one time, in bytes. */
export function peakMemoryBytes(): number {
  // On Linux, getrusage also counts the peak of the process that started this one; the kernel's status file does not.
  try {
    const kilobytes = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
    if (kilobytes !== undefined) return Number(kilobytes) * 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Valid token ids, other ones for every run, the same ones every time. */
export function randomIds(model: Model, count: number, run: number): number[] {
  const random = new CounterRandom(run);
  const { config } = model;
  const vocabSize = config.kind === "encoder-decoder" ? config.sourceVocabSize : config.vocabSize;
  return Array.from({ length: count }, (_, position) => Math.floor(random.uniform(position) * vocabSize));
}

function perSecond(count: number, milliseconds: number): number {
  return (1000 * count) / milliseconds;
}

/** Of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
