/**
 * Token healing: a prompt's last token is often the beginning of a longer one that the model would rather see whole
 * ("http:" before "://"). It is taken back, and what comes has to begin with its text.
 */
import { InvalidValueError, UnsupportedError } from "../core/errors.js";
import type { Constraint } from "./constrain/constraint.js";
import type { TokenConstraint } from "./constrain/token-constraint.js";
import type { Session } from "./session.js";

export class Healing {
  /** Text that is still to come, and is the prompt's. */
  #left: string;

  private constructor(
    readonly session: Session,
    text: string,
  ) {
    this.#left = text;
  }

  /**
   * Takes back the last token, unless it is a special one, the only one, or a part of a character.
   * @throws InvalidValueError for a session that has a constraint of its own, UnsupportedError for a model that attends
   *   to a source
   */
  static begin(session: Session, compile: (constraint: Constraint) => TokenConstraint): Healing {
    const { tokenIds, tokenizer, engine } = session;
    if (session.constraint !== undefined) {
      throw new InvalidValueError("tokenHealing", "absent where there is a constraint", true);
    }
    if (engine.network.config.kind !== "decoder-only") {
      throw new UnsupportedError("tokenHealing with the kind of model", engine.network.config.kind, ["decoder-only"]);
    }
    const last = tokenIds.at(-1);
    if (tokenizer === undefined || last === undefined || tokenIds.length < 2) return new Healing(session, "");
    const text = wholeText(tokenizer.tokenBytes(last, { atStart: false }));
    if (text === undefined || tokenizer.isSpecial(last)) return new Healing(session, "");
    session.rewind(1);
    session.constrain(compile({ regex: `${literal(text)}[\\s\\S]*` }));
    return new Healing(session, text);
  }

  /** What of a step's text is new. The constraint is lifted once the prompt's text stands again. */
  strip(text: string): string {
    if (this.session.constraint?.mayEnd) this.session.constrain(undefined);
    if (this.#left === "") return text;
    const left = this.#left;
    let shared = 0;
    while (shared < Math.min(left.length, text.length) && left[shared] === text[shared]) shared++;
    // A token that somebody put in another's place may say something else.
    this.#left = shared === text.length ? left.slice(shared) : "";
    return text.slice(shared);
  }

  /** The same at this place, to go back to. */
  copy(): Healing {
    return new Healing(this.session, this.#left);
  }
}

/** Undefined for bytes that are no whole characters. */
function wholeText(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function literal(text: string): string {
  return text.replace(/[\^$\\.*+?()[\]{}|/]/g, "\\$&");
}
