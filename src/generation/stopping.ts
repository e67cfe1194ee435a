/**
 * When a completion ends, and which text may be shown before that is known.
 *
 * A stop string may lie across tokens: text that could be the beginning of one is held back until it is clear.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";

export interface StoppingOptions {
  /** Texts that end the completion; they are not part of it. */
  readonly strings?: readonly string[];
  /** Token ids that end the completion; their text is not part of it. */
  readonly tokenIds?: readonly number[];
  /** Whether the model's own end ids end the completion. Default true. */
  readonly endIds?: boolean;
  /** Milliseconds after which no further step begins. */
  readonly maxTime?: number;
}

/** What ended a completion. */
export type StopReason =
  | { readonly kind: "end"; readonly token: number }
  | { readonly kind: "token"; readonly token: number }
  | { readonly kind: "string"; readonly text: string }
  /** The constraint is satisfied, and nothing may follow. */
  | { readonly kind: "constraint" }
  | { readonly kind: "maxTokens" }
  | { readonly kind: "contextLength" }
  | { readonly kind: "maxTime" };

/** @throws UnknownOptionError, InvalidValueError, OutOfRangeError */
export function checkStopping(options: StoppingOptions): void {
  rejectUnknownOptions(options, ["strings", "tokenIds", "endIds", "maxTime"], "stopping");
  for (const text of options.strings ?? []) {
    if (typeof text !== "string" || text === "")
      throw new InvalidValueError("stopping.strings", "non-empty strings", text);
  }
  for (const id of options.tokenIds ?? []) {
    if (!(Number.isInteger(id) && id >= 0)) throw new InvalidValueError("stopping.tokenIds", "token ids", id);
  }
  if (options.maxTime !== undefined && !(options.maxTime >= 0)) {
    throw new OutOfRangeError("stopping.maxTime", "0 or above", options.maxTime);
  }
}

/** Lets text through until a stop string appears in it. */
export class StopStrings {
  #held = "";
  #stopped: string | undefined;
  readonly #longest: number;

  constructor(readonly strings: readonly string[]) {
    this.#longest = strings.reduce((longest, text) => Math.max(longest, text.length), 0);
  }

  /** The same at this place, to go back to. */
  copy(): StopStrings {
    const copy = new StopStrings(this.strings);
    copy.#held = this.#held;
    copy.#stopped = this.#stopped;
    return copy;
  }

  /** The stop string that is complete, once there is one: nothing may be shown after it. */
  get stopped(): string | undefined {
    return this.#stopped;
  }

  /** Takes text; returns what may be shown now. */
  push(text: string): string {
    if (this.#longest === 0) return text;
    const all = this.#held + text;
    const found = this.#firstMatch(all);
    if (found !== undefined) {
      this.#held = "";
      this.#stopped = found.text;
      return all.slice(0, found.at);
    }
    const keep = this.#possibleStart(all);
    this.#held = all.slice(all.length - keep);
    return all.slice(0, all.length - keep);
  }

  /** The end has come otherwise: what was held back was no stop string after all. */
  flush(): string {
    const text = this.#held;
    this.#held = "";
    return text;
  }

  /** The match that begins first; of several there, the one that is complete first. */
  #firstMatch(text: string): { at: number; text: string } | undefined {
    let best: { at: number; text: string } | undefined;
    for (const stop of this.strings) {
      const at = text.indexOf(stop);
      if (at < 0) continue;
      if (best === undefined || at < best.at || (at === best.at && stop.length < best.text.length))
        best = { at, text: stop };
    }
    return best;
  }

  /** Length of the longest end of `text` that begins some stop string. */
  #possibleStart(text: string): number {
    for (let length = Math.min(text.length, this.#longest - 1); length > 0; length--) {
      const end = text.slice(text.length - length);
      if (this.strings.some((stop) => stop.length > length && stop.startsWith(end))) return length;
    }
    return 0;
  }
}
