/** `metrics.jsonl` of a run: what was measured at each step, one JSON object per line, only ever added to. */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { FileNotFoundError, FormatError } from "../../core/errors.js";
import type { TrainingStep } from "../../training/train.js";

type Measured = "step" | "loss" | "learningRate" | "gradientNorm" | "tokens" | "tokensPerSecond";

/** After an optimizer step. */
export interface StepMetrics extends Pick<TrainingStep, Measured> {
  readonly kind: "step";
  /** Since step 1, without the time between an interruption and the resumption. */
  readonly seconds: number;
}

/** Held-out data, measured after a step. */
export interface EvaluationMetrics {
  readonly kind: "evaluation";
  readonly step: number;
  /** In nats per token. */
  readonly loss: number;
  readonly bitsPerByte?: number;
}

/** What the model wrote after a step. */
export interface SampleMetrics {
  readonly kind: "sample";
  readonly step: number;
  readonly prompt: string;
  readonly text: string;
}

export type Metrics = StepMetrics | EvaluationMetrics | SampleMetrics;

export const metricsFileName = "metrics.jsonl";

/** The file of a run in progress. */
export class MetricsFile {
  readonly #file: number;
  /** Kinds that the last step before the resumption has a line of. */
  readonly #kept: ReadonlySet<string>;

  private constructor(
    readonly path: string,
    /** What was kept: everything up to the step that is resumed from. */
    readonly before: readonly Metrics[],
    readonly fromStep: number,
    keptBytes: number,
  ) {
    this.#file = openSync(path, "a");
    ftruncateSync(this.#file, keptBytes);
    this.#kept = new Set(before.filter(({ step }) => step === fromStep).map(({ kind }) => kind));
  }

  /**
   * Opens the file in `folder`, to add to it. What is there of later steps than `fromStep` is cut off, and so is a line
   * that an interruption has left unfinished: a run that is resumed writes them anew.
   * @param fromStep - the step of the checkpoint that is resumed from; 0: the run begins
   */
  static open(folder: string, fromStep: number): MetricsFile {
    const path = join(folder, metricsFileName);
    const { metrics, bytes } = existsSync(path) ? upTo(fromStep, path) : { metrics: [], bytes: 0 };
    return new MetricsFile(path, metrics, fromStep, bytes);
  }

  add(metrics: Metrics): void {
    if (metrics.step === this.fromStep && this.#kept.has(metrics.kind)) return;
    writeSync(this.#file, `${JSON.stringify(metrics)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The lines before the first one of a later step, and where they end. */
function upTo(step: number, path: string): { metrics: Metrics[]; bytes: number } {
  const metrics: Metrics[] = [];
  let bytes = 0;
  for (const line of readFileSync(path, "utf8").split(/(?<=\n)/)) {
    if (!line.endsWith("\n")) break;
    const read = metricsOf(line, path, metrics.length + 1);
    if (read.step > step) break;
    metrics.push(read);
    bytes += Buffer.byteLength(line);
  }
  return { metrics, bytes };
}

/**
 * All that was measured in a run.
 * @param path - the run's folder, or a metrics file itself
 * @throws FileNotFoundError, FormatError
 */
export function readMetrics(path: string): Metrics[] {
  const file = path.endsWith(".jsonl") ? path : join(path, metricsFileName);
  if (!existsSync(file)) throw new FileNotFoundError(isAbsolute(path) ? file : path, `a run with ${metricsFileName}`);
  return upTo(Number.POSITIVE_INFINITY, file).metrics;
}

function metricsOf(line: string, path: string, number: number): Metrics {
  try {
    const value = JSON.parse(line) as Metrics;
    if (["step", "evaluation", "sample"].includes(value.kind) && Number.isSafeInteger(value.step)) return value;
  } catch {
    // Told below: both are the same mistake.
  }
  throw new FormatError("metrics", `line ${number}`, "is no measurement of a step", path);
}
