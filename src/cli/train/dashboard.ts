/**
 * A training run on the screen: its loss as a curve, how far it is, how fast, and what the model writes. Where the
 * output is no terminal, a line now and then.
 */
import type { Output } from "../terminal.js";
import { blockCurve, columnMeans } from "./curve.js";
import type { RunFacts, StepEvent, TrainingEvent } from "./events.js";
import { compact, duration, grouped } from "./figures.js";
import type { EvaluationMetrics, Metrics, SampleMetrics } from "./metrics.js";

export interface Dashboard {
  /** Takes in what happened, and shows it when it is time. */
  show(event: TrainingEvent): void;
  /** Prints a line that stays. */
  note(text: string): void;
  /** Shows the latest state for the last time. */
  end(): void;
}

/** @param before - what a resumed run has measured so far, for its curve */
export function dashboardOn(
  output: Output,
  facts: RunFacts,
  before: readonly Metrics[] = [],
  now: () => number = () => performance.now(),
): Dashboard {
  return output.isTTY === true ? new Screen(output, facts, before, now) : new Lines(output, facts, now);
}

/** Milliseconds between two drawings on a terminal, and between two lines elsewhere. */
const drawingInterval = 100;
const lineInterval = 10_000;
const curveHeight = 8;
const sampleHeight = 6;

/** What has happened so far. */
class State {
  readonly losses: number[] = [];
  step: StepEvent | undefined;
  evaluation: EvaluationMetrics | undefined;
  best: EvaluationMetrics | undefined;
  sample: SampleMetrics | undefined;

  take(event: Metrics | TrainingEvent): void {
    if (event.kind === "sample") {
      this.sample = event;
    } else if (event.kind === "evaluation") {
      this.evaluation = event;
      if (this.best === undefined || event.loss < this.best.loss) this.best = event;
    } else {
      this.losses.push(event.loss);
      if ("secondsLeft" in event) this.step = event;
    }
  }
}

class Lines implements Dashboard {
  readonly #state = new State();
  #written = Number.NEGATIVE_INFINITY;
  #waiting: StepEvent | undefined;

  constructor(
    readonly output: Output,
    readonly facts: RunFacts,
    readonly now: () => number,
  ) {
    this.note(titleOf(facts));
    for (const line of facts.summary) this.note(line);
  }

  show(event: TrainingEvent): void {
    this.#state.take(event);
    if (event.kind === "step") this.#step(event);
    else this.note(event.kind === "evaluation" ? evaluationLine(event, this.#state.best) : sampleLine(event));
  }

  #step(event: StepEvent): void {
    this.#waiting = event;
    const time = this.now();
    if (time - this.#written < lineInterval && event.step < this.facts.steps) return;
    this.#written = time;
    this.end();
  }

  note(text: string): void {
    this.output.write(`${text}\n`);
  }

  end(): void {
    if (this.#waiting !== undefined) this.note(stepLine(this.#waiting, this.facts.steps));
    this.#waiting = undefined;
  }
}

class Screen implements Dashboard {
  readonly #state = new State();
  #drawn = Number.NEGATIVE_INFINITY;
  /** Lines of the drawing that stands above the cursor. */
  #height = 0;

  constructor(
    readonly output: Output,
    readonly facts: RunFacts,
    before: readonly Metrics[],
    readonly now: () => number,
  ) {
    for (const each of before) this.#state.take(each);
    for (const line of [titleOf(facts), ...facts.summary]) this.output.write(`${line}\n`);
  }

  show(event: TrainingEvent): void {
    this.#state.take(event);
    if (this.now() - this.#drawn >= drawingInterval) this.#draw();
  }

  note(text: string): void {
    this.#wipe();
    this.output.write(`${text}\n`);
    this.#draw();
  }

  end(): void {
    this.#draw();
    // What stands there stays.
    this.#height = 0;
  }

  #draw(): void {
    this.#drawn = this.now();
    const width = (this.output.columns || 80) - 1;
    const lines = drawing(this.#state, this.facts, width);
    this.#wipe();
    this.output.write(lines.map((line) => `${line}\n`).join(""));
    this.#height = lines.length;
  }

  #wipe(): void {
    if (this.#height > 0) this.output.write(`\u001b[${this.#height}A\r\u001b[J`);
    this.#height = 0;
  }
}

function titleOf({ name, folder, fromStep }: RunFacts): string {
  return `${name} → ${folder}${fromStep > 0 ? `, resumed after step ${fromStep}` : ""}`;
}

/** Lines of at most `width` characters. */
function drawing(state: State, facts: RunFacts, width: number): string[] {
  const { step, evaluation, best, sample, losses } = state;
  if (step === undefined) return [];
  const share = step.step / facts.steps;
  const bar = progressBar(share, Math.max(10, Math.min(30, width - 50)));
  const head = `step ${step.step}/${facts.steps}  ${bar} ${Math.floor(share * 100)}%  ${duration(step.secondsLeft)} left`;
  const heldOut = evaluation === undefined ? "" : `  held out ${lossOf(evaluation)}${bestOf(evaluation, best)}`;
  const lines = [
    ...curveLines(losses, width),
    head,
    `loss ${step.loss.toFixed(4)}${heldOut}`,
    `${grouped(step.tokensPerSecond)} tokens/s  learning rate ${compact(step.learningRate)}  gradient norm ${step.gradientNorm.toFixed(3)}`,
    ...(sample === undefined ? [] : sampleLines(sample, width)),
  ];
  return lines.map((line) => Array.from(line).slice(0, width).join(""));
}

function curveLines(losses: readonly number[], width: number): string[] {
  const label = 8;
  const means = columnMeans(losses, width - label);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const rows = blockCurve(losses, { width: width - label, height: curveHeight, low, high });
  return rows.map((row, line) => {
    const value = line === 0 ? high : line === curveHeight - 1 ? low : undefined;
    return (
      `${value === undefined ? "" : value.toFixed(3)}`.padStart(label - 1) + (value === undefined ? "│" : "┤") + row
    );
  });
}

function progressBar(share: number, width: number): string {
  const filled = Math.round(Math.min(1, share) * width);
  return "█".repeat(filled) + "░".repeat(width - filled);
}

function bestOf(evaluation: EvaluationMetrics, best: EvaluationMetrics | undefined): string {
  return best === undefined || best.step === evaluation.step ? "" : `  best ${best.loss.toFixed(4)} at ${best.step}`;
}

function lossOf({ loss, bitsPerByte }: EvaluationMetrics): string {
  return `${loss.toFixed(4)}${bitsPerByte === undefined ? "" : ` (${bitsPerByte.toFixed(3)} bits per byte)`}`;
}

function sampleLines({ step, prompt, text }: SampleMetrics, width: number): string[] {
  const written = Array.from(shownText(prompt + text, "\n"));
  const lines = written
    .join("")
    .split("\n")
    .flatMap((line) => pieces(line, width - 2));
  return [`sample after step ${step}:`, ...lines.slice(0, sampleHeight).map((line) => `  ${line}`)];
}

function pieces(line: string, width: number): string[] {
  const letters = Array.from(line);
  const count = Math.max(1, Math.ceil(letters.length / width));
  return Array.from({ length: count }, (_, index) => letters.slice(index * width, (index + 1) * width).join(""));
}

/** Without characters that would move the cursor; `lineBreak` stays. */
function shownText(text: string, lineBreak: string): string {
  return text.replaceAll(/\r?\n/g, lineBreak).replaceAll(/(?!\n)\p{Cc}/gu, " ");
}

function stepLine(event: StepEvent, steps: number): string {
  const { step, loss, learningRate, gradientNorm, tokensPerSecond, secondsLeft } = event;
  return [
    `step ${step}/${steps}`,
    `loss ${loss.toFixed(4)}`,
    `learning rate ${compact(learningRate)}`,
    `gradient norm ${gradientNorm.toFixed(3)}`,
    `${grouped(tokensPerSecond)} tokens/s`,
    `${duration(secondsLeft)} left`,
  ].join("  ");
}

function evaluationLine(event: EvaluationMetrics, best: EvaluationMetrics | undefined): string {
  return `held out after step ${event.step}: loss ${lossOf(event)}${bestOf(event, best)}`;
}

function sampleLine({ step, prompt, text }: SampleMetrics): string {
  return `sample after step ${step}: ${JSON.stringify(prompt + text)}`;
}
