/** The public streaming call: a loop over `session.step()` that knows when to stop and which text may be shown. */
import { Breather } from "../core/breathe.js";
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Alternative } from "./alternatives.js";
import { guideOptionNames } from "./guides/options.js";
import type { Healing } from "./healing.js";
import type { StageReport } from "./sampling/pipeline.js";
import type { TokenScore } from "./scores.js";
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
  /**
   * Take back the prompt's last token, and let the completion begin with any that begins alike: for prompts that end in
   * the middle of what the tokenizer takes for one. Not with a constraint. Default false.
   */
  readonly tokenHealing?: boolean;
  /** Called for every token of the prompt but the first, from the pass that runs it: see `ReadOptions.onScore`. */
  readonly onScore?: (score: TokenScore) => void;
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

/** What a consumer may answer to a step: `iterator.next({ token })`. */
export interface StepAnswer {
  /**
   * Take this token instead of the one of the step just given, whose text is then not part of the completion; the text
   * of the next step begins with this one's. Also after the last step, which may then not be the last.
   */
  readonly token?: number;
}

/** Steps of a completion; each may be answered. */
export type Generation = AsyncGenerator<GenerationStep, void, StepAnswer | undefined>;

const ownOptionNames = ["maxTokens", "stopping", "speculation", "tokenHealing", "onScore", "signal", "onProgress"];

/** The options of a generation's session. */
export function sessionOptionsOf(options: GenerationOptions): SessionOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !ownOptionNames.includes(name)));
}

/** @throws UnknownOptionError, OutOfRangeError, InvalidValueError */
export function checkGeneration(options: GenerationOptions): void {
  rejectUnknownOptions(options, [...ownOptionNames, ...sessionOptionNames]);
  const { maxTokens = 256, stopping, speculation } = options;
  if (!(Number.isInteger(maxTokens) && maxTokens >= 1))
    throw new OutOfRangeError("maxTokens", "a whole number from 1 on", maxTokens);
  if (stopping !== undefined) checkStopping(stopping);
  if (speculation === undefined) return;
  checkSpeculation(speculation);
  const guide = guideOptionNames.find((name) => options[name] !== undefined);
  if (guide !== undefined) throw new InvalidValueError(guide, "absent where there is speculation", options[guide]);
}

/**
 * Generates from where the session stands, and disposes it at the end.
 * @param open - makes the session; called when the first token is asked for
 * @param endIds - the model's own end ids
 * @param aids - what takes the session's steps instead of itself; what heals the prompt
 */
export async function* generate(
  open: () => Session | Promise<Session>,
  options: GenerationOptions,
  endIds: readonly number[],
  aids: GenerationAids = {},
): Generation {
  const { signal, onProgress, onScore } = options;
  const session = await open();
  let speculator: Speculator | undefined;
  try {
    const healing = aids.heal?.(session);
    speculator = await aids.speculate?.(session);
    const completion = new Completion(session, options, endIds, healing);
    const breather = new Breather();
    signal?.throwIfAborted();
    let step: GenerationStep = completion.take(await session.step({ signal, onProgress, onScore }));
    for (;;) {
      const isLast = step.stop !== undefined;
      const answer: StepAnswer | undefined = yield isLast && speculator !== undefined
        ? { ...step, speculation: speculator.report }
        : step;
      const replaced: GenerationStep | undefined = answer && (await completion.replace(answer));
      if (isLast && replaced === undefined) return;
      if (breather.isDue) await breather.breathe();
      signal?.throwIfAborted();
      // Waiting costs more than a small model's step, so a step that can be had at once is.
      const next = () => speculator?.step(completion.left, signal) ?? session.stepNow() ?? session.step({ signal });
      const taken = replaced?.stop === undefined ? next() : undefined;
      if (taken === undefined) step = replaced!;
      else step = completion.take(taken instanceof Promise ? await taken : taken, replaced?.text);
    }
  } finally {
    speculator?.dispose();
    session.dispose();
  }
}

/** What a model gives to a generation. */
export interface GenerationAids {
  readonly speculate?: (session: Session) => Promise<Speculator>;
  readonly heal?: (session: Session) => Healing;
}

/** Decides, step by step, what may be shown and whether it is the last one. */
class Completion {
  readonly #ends: ReadonlySet<number>;
  readonly #stops: ReadonlySet<number>;
  #strings: StopStrings;
  #healing: Healing | undefined;
  /** What stood before the last step. */
  #before: { readonly strings: StopStrings; readonly healing: Healing | undefined } | undefined;
  readonly #maxTokens: number;
  readonly #deadline: number;
  #count = 0;

  constructor(
    readonly session: Session,
    { maxTokens = 256, stopping = {} }: GenerationOptions,
    endIds: readonly number[],
    healing?: Healing,
  ) {
    this.#healing = healing;
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

  /** @param before - text that stands before the step's, and was not shown yet */
  take({ token, text: all, logprob, alternatives, report }: Step, before = ""): GenerationStep {
    this.#count++;
    this.#before = { strings: this.#strings.copy(), healing: this.#healing?.copy() };
    const text = this.#healing?.strip(all) ?? all;
    // An end token's own text is not part of the completion.
    const ends = this.#ends.has(token) || this.#stops.has(token);
    const shown = before + (ends ? "" : this.#strings.push(text));
    const stop = this.#reason(token);
    const step = report === undefined ? { token, logprob, alternatives } : { token, logprob, alternatives, report };
    return stop === undefined ? { ...step, text: shown } : { ...step, text: shown + this.#remainder(stop), stop };
  }

  /** Puts another token in place of the last one. @returns its step; undefined where the answer asks for nothing */
  async replace(answer: StepAnswer): Promise<GenerationStep | undefined> {
    rejectUnknownOptions(answer, ["token"], "answer");
    if (answer.token === undefined) return undefined;
    this.session.edit(this.session.length - 1, answer.token);
    this.session.rewind(1);
    const step = await this.session.step({ token: answer.token });
    this.#strings = this.#before!.strings;
    this.#healing = this.#before!.healing;
    this.#count--;
    return this.take(step);
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
