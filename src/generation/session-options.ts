/** What a session is told, and what a step of it gives. */
import { HithertoError } from "../core/errors.js";
import type { Alternative } from "./alternatives.js";
import type { Constraint } from "./constrain/constraint.js";
import type { TokenConstraint } from "./constrain/token-constraint.js";
import type { LoadedAdapter } from "./loaded-adapter.js";
import type { StageReport } from "./sampling/pipeline.js";
import type { ChoiceOptions } from "./sampling/stages.js";

export interface SessionOptions extends ChoiceOptions {
  /** How many of the likeliest tokens each step reports. Default 0. */
  readonly alternatives?: number;
  /** Whether each step tells what every processor and filter removed. Default false: it takes time. */
  readonly report?: boolean;
  /** What the completion has to be: see `Session.constrain`. Of `Model.session` and `generate` only. */
  readonly constraint?: Constraint | TokenConstraint;
  /** What the model is run with: see `Session.useAdapter`. Of `Model.session` and `generate` only. */
  readonly adapter?: LoadedAdapter;
}

export interface StepOptions {
  /** Take this token instead of choosing one. */
  readonly token?: number;
  readonly signal?: AbortSignal;
  /** Called as tokens that were added since the last step are run. */
  readonly onProgress?: (done: number, total: number) => void;
}

export const stepOptionNames = ["token", "signal", "onProgress"];

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
  /** [vocabSize]: the model's logits before any processor. The session's own memory: valid until its next step. */
  readonly logits: Float32Array;
}

/** Options of `Session.fork`. */
export const forkOptionNames = ["sampling", "penalties", "tokens", "processors", "alternatives", "report"];
/** Options of `Model.session`. */
export const sessionOptionNames = [...forkOptionNames, "constraint", "adapter"];

/** A session was used before the step, `logits` or `append` that it was given last had ended. */
export class SessionBusyError extends HithertoError {
  readonly code = "SESSION_BUSY";

  constructor() {
    super("a session does one thing at a time: await its last call before the next, or fork it first");
  }
}
