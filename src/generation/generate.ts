/** The public streaming call: a loop over `session.step()` that knows when to stop and which text may be shown. */
import { Breather } from "../core/breathe.js";
import { OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Alternative } from "./alternatives.js";
import type { StageReport } from "./sampling/pipeline.js";
import type { Session } from "./session.js";
import { type SessionOptions, type Step, sessionOptionNames } from "./session-options.js";
import { checkStopping, type StoppingOptions, type StopReason, StopStrings } from "./stopping.js";

export interface GenerationOptions extends SessionOptions {
  /** Tokens to generate at most. Default 256. */
  readonly maxTokens?: number;
  readonly stopping?: StoppingOptions;
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
}

const optionNames = ["maxTokens", "stopping", "signal", "onProgress", ...sessionOptionNames];

/** @throws UnknownOptionError, OutOfRangeError, InvalidValueError */
export function checkGeneration(options: GenerationOptions): void {
  rejectUnknownOptions(options, optionNames);
  const { maxTokens = 256, stopping } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1))
    throw new OutOfRangeError("maxTokens", "a whole number from 1 on", maxTokens);
  if (stopping !== undefined) checkStopping(stopping);
}

/**
 * Generates from where the session stands, and disposes it at the end.
 * @param open - makes the session; called when the first token is asked for
 * @param endIds - the model's own end ids
 */
export async function* generate(
  open: () => Session | Promise<Session>,
  options: GenerationOptions,
  endIds: readonly number[],
): AsyncGenerator<GenerationStep> {
  const { signal, onProgress } = options;
  const session = await open();
  try {
    const completion = new Completion(session, options, endIds);
    const breather = new Breather();
    signal?.throwIfAborted();
    let step: GenerationStep = completion.take(await session.step({ signal, onProgress }));
    while (step.stop === undefined) {
      yield step;
      if (breather.isDue) await breather.breathe();
      signal?.throwIfAborted();
      // Waiting costs more than a small model's step, so a step that can be had at once is.
      step = completion.take(session.stepNow() ?? (await session.step({ signal })));
    }
    yield step;
  } finally {
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
    if (this.session.room === 0) return { kind: "contextLength" };
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
