/** The public streaming call: a loop over `session.step()` that knows when to stop and which text may be shown. */
import { Breather } from "../core/breathe.js";
import { OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Alternative } from "./alternatives.js";
import type { StageReport } from "./sampling/pipeline.js";
import type { Session } from "./session.js";
import { type SessionOptions, type Step, sessionOptionNames } from "./session-options.js";
import { checkSpeculation, type SpeculationOptions } from "./speculation/options.js";
import type { SpeculationReport } from "./speculation/report.js";
import type { Speculator } from "./speculation/speculator.js";
import { checkStopping, type StoppingOptions, type StopReason, StopStrings } from "./stopping.js";

export interface GenerationOptions extends SessionOptions {
  /** Tokens to generate at most. Default 256. */
  readonly maxTokens?: number;
  readonly stopping?: StoppingOptions;
  /** Several tokens for one run of the model, where a proposer guesses them: the same output, sooner. */
  readonly speculation?: SpeculationOptions;
  /** Ends the generation between two steps; the generator then throws the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called as the prompt is run, with the tokens done and their number. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** One token of a completion. */
export interface GenerationStep {
  readonly token: number;
  /** Text that may be shown now. The texts of all steps together are the completion. */
  readonly text: string;
  /** ln p of the token under the model itself. */
  readonly logprob: number;
  readonly alternatives: readonly Alternative[];
  /** What every processor and filter removed, where `report` asks for it. */
  readonly report?: readonly StageReport[];
  /** On the last step: what ended the completion. */
  readonly stop?: StopReason;
  /** On the last step, with `speculation`: what it did. */
  readonly speculation?: SpeculationReport;
}

const optionNames = ["maxTokens", "stopping", "speculation", "signal", "onProgress", ...sessionOptionNames];

/** @throws UnknownOptionError, OutOfRangeError, InvalidValueError */
export function checkGeneration(options: GenerationOptions): void {
  rejectUnknownOptions(options, optionNames);
  const { maxTokens = 256, stopping, speculation } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1))
    throw new OutOfRangeError("maxTokens", "a whole number from 1 on", maxTokens);
  if (stopping !== undefined) checkStopping(stopping);
  if (speculation !== undefined) checkSpeculation(speculation);
}

/**
 * Generates from where the session stands, and disposes it at the end.
 * @param open - makes the session; called when the first token is asked for
 * @param endIds - the model's own end ids
 * @param speculate - what takes the session's steps instead of itself
 */
export async function* generate(
  open: () => Session | Promise<Session>,
  options: GenerationOptions,
  endIds: readonly number[],
  speculate?: (session: Session) => Promise<Speculator>,
): AsyncGenerator<GenerationStep> {
  const { signal, onProgress } = options;
  const session = await open();
  let speculator: Speculator | undefined;
  try {
    speculator = await speculate?.(session);
    const completion = new Completion(session, options, endIds);
    const breather = new Breather();
    signal?.throwIfAborted();
    let step: GenerationStep = completion.take(await session.step({ signal, onProgress }));
    while (step.stop === undefined) {
      yield step;
      if (breather.isDue) await breather.breathe();
      signal?.throwIfAborted();
      // Waiting costs more than a small model's step, so a step that can be had at once is.
      const next = speculator?.step(completion.left, signal) ?? session.stepNow() ?? session.step({ signal });
      step = completion.take(next instanceof Promise ? await next : next);
    }
    yield speculator === undefined ? step : { ...step, speculation: speculator.report };
  } finally {
    speculator?.dispose();
    session.dispose();
  }
}

/** Decides, step by step, what may be shown and whether it is the last one. */
class Completion {
  readonly #ends: ReadonlySet<number>;
  readonly #stops: ReadonlySet<number>;
  readonly #strings: StopStrings;
  readonly #maxTokens: number;
  readonly #deadline: number;
  #count = 0;

  constructor(
    readonly session: Session,
    { maxTokens = 256, stopping = {} }: GenerationOptions,
    endIds: readonly number[],
  ) {
    this.#ends = new Set(stopping.endIds === false ? [] : endIds);
    this.#stops = new Set(stopping.tokenIds ?? []);
    this.#strings = new StopStrings(stopping.strings ?? []);
    this.#maxTokens = maxTokens;
    this.#deadline = stopping.maxTime === undefined ? Number.POSITIVE_INFINITY : performance.now() + stopping.maxTime;
  }

  /** Tokens that may still come. */
  get left(): number {
    return this.#maxTokens - this.#count;
  }

  take({ token, text, logprob, alternatives, report }: Step): GenerationStep {
    this.#count++;
    // An end token's own text is not part of the completion.
    const ends = this.#ends.has(token) || this.#stops.has(token);
    const shown = ends ? "" : this.#strings.push(text);
    const stop = this.#reason(token);
    const step = report === undefined ? { token, logprob, alternatives } : { token, logprob, alternatives, report };
    return stop === undefined ? { ...step, text: shown } : { ...step, text: shown + this.#remainder(stop), stop };
  }

  #reason(token: number): StopReason | undefined {
    if (this.#ends.has(token)) return { kind: "end", token };
    if (this.#stops.has(token)) return { kind: "token", token };
    if (this.#strings.stopped !== undefined) return { kind: "string", text: this.#strings.stopped };
    if (this.session.constraint?.isComplete) return { kind: "constraint" };
    if (this.#count === this.#maxTokens) return { kind: "maxTokens" };
    if (this.session.isFull) return { kind: "contextLength" };
    if (this.#deadline !== Number.POSITIVE_INFINITY && performance.now() >= this.#deadline) return { kind: "maxTime" };
    return undefined;
  }

  /** Text that was held back and is not coming to more. */
  #remainder(stop: StopReason): string {
    if (stop.kind === "string") return "";
    const held = this.#strings.flush();
    // The stream must not be asked for an end token's text.
    return stop.kind === "end" || stop.kind === "token" ? held : held + this.session.flushText();
  }
}
