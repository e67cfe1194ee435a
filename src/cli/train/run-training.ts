/** One training run from the command line: what is measured is kept and shown, Ctrl-C stops it after the step. */
import { given } from "../model-flags.js";
import { noProgress, progressOn } from "../progress.js";
import type { Terminal } from "../terminal.js";
import { type Dashboard, dashboardOn } from "./dashboard.js";
import type { RunFacts, TrainingEvent } from "./events.js";
import type { SettledConfig } from "./load-config.js";
import { type EvaluationMetrics, type Metrics, MetricsFile, type StepMetrics } from "./metrics.js";

/** A run that is ready: its data tokenized, its model in memory. */
export interface ReadyTraining extends AsyncDisposable {
  readonly facts: RunFacts;
  /** The steps, to the last or until the signal. */
  events(telling: Telling): AsyncIterable<TrainingEvent>;
  /** Writes what was trained into the run's folder; gives the path. */
  writeModel(): Promise<string>;
}

/** What a run is told, and whom it tells. */
export interface Telling {
  /** What the run has taken before it was resumed. */
  readonly secondsBefore: number;
  /** Takes lines that are worth keeping on the screen. */
  readonly note: (text: string) => void;
}

export interface StartOptions {
  /** Continue from the newest checkpoint. */
  readonly resume: boolean;
  readonly signal: AbortSignal;
  readonly onNotice: (text: string) => void;
  /** Tokenizing and the like: `done` of `total`, in any unit. */
  readonly onProgress: (label: string, done: number, total: number) => void;
}

/** Makes a run ready; another one in tests. */
export type StartTraining = (config: SettledConfig, options: StartOptions) => Promise<ReadyTraining>;

/** What a finished run has come to. */
export interface TrainingResult {
  readonly model: string;
  readonly steps: number;
  /** Of the last step, in nats per token. */
  readonly loss?: number;
  /** Of the last evaluation. */
  readonly heldOutLoss?: number;
  readonly bitsPerByte?: number;
  readonly bestHeldOutLoss?: number;
  /** In training, all parts of an interrupted run together. */
  readonly seconds: number;
}

/**
 * Trains to the end.
 * @param quiet - whether nothing is shown
 * @throws the signal's reason, when it was stopped; what was learnt is saved then
 */
export async function runTraining(
  config: SettledConfig,
  { resume, quiet }: { resume: boolean; quiet: boolean },
  terminal: Terminal,
  start: StartTraining,
): Promise<TrainingResult> {
  await using training = await started(config, resume, quiet, terminal, start);
  const { facts } = training;
  const metrics = MetricsFile.open(facts.folder, facts.fromStep);
  const dashboard = quiet ? silent : dashboardOn(terminal.errors, facts, metrics.before);
  const record = new Record(metrics, dashboard);
  const onStop = () => dashboard.note("stopping after this step, and saving; Ctrl-C again stops at once");
  terminal.signal.addEventListener("abort", onStop, { once: true });
  try {
    const telling = { secondsBefore: record.seconds, note: (text: string) => dashboard.note(text) };
    for await (const event of training.events(telling)) record.take(event);
  } finally {
    terminal.signal.removeEventListener("abort", onStop);
    dashboard.end();
    metrics.close();
    if (terminal.signal.aborted)
      terminal.notice(`stopped after step ${record.lastStep}; hitherto train --resume ${facts.folder} goes on`);
  }
  terminal.signal.throwIfAborted();
  const model = await training.writeModel();
  return { model, steps: facts.steps, ...record.result() };
}

const silent: Dashboard = { show: () => {}, note: () => {}, end: () => {} };

async function started(
  config: SettledConfig,
  resume: boolean,
  quiet: boolean,
  terminal: Terminal,
  start: StartTraining,
): Promise<ReadyTraining> {
  let [progress, shown] = [noProgress, ""];
  const onNotice = (text: string) => {
    progress.clear();
    terminal.notice(text);
  };
  const onProgress = (label: string, done: number, total: number) => {
    if (label !== shown) {
      progress.clear();
      [progress, shown] = [quiet ? noProgress : progressOn(terminal.errors, label), label];
    }
    progress.update(done, total);
  };
  try {
    return await start(config, { resume, signal: terminal.signal, onNotice, onProgress });
  } finally {
    progress.clear();
  }
}

/** What is kept of it: how long the rest takes is soon wrong. */
function metricsOf(event: TrainingEvent): Metrics {
  if (event.kind !== "step") return event;
  const { secondsLeft: _, ...metrics } = event;
  return metrics;
}

/** Keeps and shows what happens. */
class Record {
  #step: StepMetrics | undefined;
  #evaluation: EvaluationMetrics | undefined;
  #best: number | undefined;

  constructor(
    readonly metrics: MetricsFile,
    readonly dashboard: Dashboard,
  ) {
    for (const each of metrics.before) this.#note(each);
  }

  get seconds(): number {
    return this.#step?.seconds ?? 0;
  }

  get lastStep(): number {
    return this.#step?.step ?? this.metrics.fromStep;
  }

  take(event: TrainingEvent): void {
    this.#note(event);
    this.metrics.add(metricsOf(event));
    this.dashboard.show(event);
  }

  #note(event: { readonly kind: string }): void {
    if (event.kind === "step") this.#step = event as StepMetrics;
    if (event.kind !== "evaluation") return;
    this.#evaluation = event as EvaluationMetrics;
    this.#best = Math.min(this.#best ?? Number.POSITIVE_INFINITY, this.#evaluation.loss);
  }

  result(): Omit<TrainingResult, "model" | "steps"> {
    const { loss: heldOutLoss, bitsPerByte } = this.#evaluation ?? {};
    const measured = given({ loss: this.#step?.loss, heldOutLoss, bitsPerByte, bestHeldOutLoss: this.#best });
    return { ...measured, seconds: this.seconds };
  }
}
