/** What can be asked of a session and of its steps, and what a step gives back. */
import { HithertoError } from "../core/errors.js";
import type { Alternative } from "./alternatives.js";
import type { Constraint } from "./constrain/constraint.js";
import type { TokenConstraint } from "./constrain/token-constraint.js";
import type { ContextShiftOptions } from "./context-shift.js";
import type { PrefixSharing } from "./engine.js";
import { type GuideOptions, guideOptionNames } from "./guides/options.js";
import type { Inspection } from "./inspect.js";
import type { LoadedAdapter } from "./loaded-adapter.js";
import type { NextLogits } from "./next-logits.js";
import type { StageReport } from "./sampling/pipeline.js";
import type { ChoiceOptions } from "./sampling/stages.js";
import type { TokenScore } from "./scores.js";
import type { TimelineState } from "./timeline.js";

export interface SessionOptions extends ChoiceOptions, GuideOptions {
  /** How many of the likeliest tokens each step reports. Default 0. */
  readonly alternatives?: number;
  /** Whether each step tells what every processor and filter removed. Default false: it takes time. */
  readonly report?: boolean;
  /** What the completion has to be: see `Session.constrain`. Of `Model.session` and `generate` only. */
  readonly constraint?: Constraint | TokenConstraint;
  /** What is discarded when the context is full. Default: nothing, `ContextFullError` is thrown. */
  readonly contextShift?: ContextShiftOptions;
  readonly cache?: PrefixSharing;
  /** What the model is run with: see `Session.useAdapter`. Of `Model.session` and `generate` only. */
  readonly adapter?: LoadedAdapter;
}

/** How tokens that were added are run. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  /** Called as tokens that were added since the last step are run. */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Called for every token that was added since the last step, with its log-probability and alternatives, from the pass
   * that runs it; all of them are run then, whatever is known of their beginning.
   */
  readonly onScore?: (score: TokenScore) => void;
}

export interface StepOptions extends ReadOptions {
  /** Take this token instead of choosing one. */
  readonly token?: number;
  /**
   * Results inside the model to report, such as `blocks.0.attention.probabilities` (see `Model.resultNames`), of every
   * token that this step runs. Costs nothing where it is absent.
   */
  readonly inspect?: readonly string[];
}

/** Options of `Session.step`. */
export const stepOptionNames = ["token", "signal", "onProgress", "onScore", "inspect"];

/** What one step did. */
export interface Step {
  /** The token that was added. */
  readonly token: number;
  /** Text that became complete with it; never half a character, often empty. */
  readonly text: string;
  /** ln p of the token under the model itself, before any sampling option. */
  readonly logprob: number;
  /** The likeliest tokens at this place, likeliest first. */
  readonly alternatives: readonly Alternative[];
  /** Index of the token in the sequence. */
  readonly position: number;
  /** What every processor and filter removed, where that was asked for. */
  readonly report?: readonly StageReport[];
  /** What `inspect` asked for, by name: a row for every token that was run. */
  readonly inspected?: ReadonlyMap<string, Inspection>;
  /** [vocabSize]: the model's logits before any processor. The session's own memory: valid until its next step. */
  readonly logits: Float32Array;
}

/** A session was used before the step, `logits` or `append` that it was given last had ended. */
export class SessionBusyError extends HithertoError {
  readonly code = "SESSION_BUSY";

  constructor() {
    super("a session does one thing at a time: await its last call before the next, or fork it first");
  }
}

/** All that makes a session, but its place in the cache. */
export interface SessionState extends TimelineState {
  readonly options: SessionOptions;
  readonly seed: number;
  /** Mirostat's limits by position. */
  readonly limits: ReadonlyMap<number, number>;
  readonly next: NextLogits | undefined;
}

/** Options of `Session.fork`. */
export const forkOptionNames = [
  "sampling",
  "penalties",
  "tokens",
  "processors",
  "alternatives",
  "report",
  "contextShift",
];
/** Options of `Model.session`. */
export const sessionOptionNames = [...forkOptionNames, ...guideOptionNames, "constraint", "adapter", "cache"];
