/** A constraint along a session's timeline: the state after each token, so that going back is looking back. */
import type { Tokenizer } from "../../tokenizers/tokenizer.js";
import { ConstraintViolationError, NoAllowedTokenError } from "./errors.js";
import type { ConstraintState, TokenConstraint } from "./token-constraint.js";

export class ConstraintTimeline {
  /** State before the first token that the constraint governs, and after each. */
  readonly #states: ConstraintState[];
  #left: Float32Array | undefined;

  /**
   * @param from - length of the timeline where the constraint begins
   * @param atTextStart - whether nothing of it shows as text
   */
  constructor(
    readonly constraint: TokenConstraint,
    readonly from: number,
    readonly atTextStart: boolean,
    states?: readonly ConstraintState[],
    /** Whether all that it governed is still in the timeline. */
    readonly isWhole = true,
  ) {
    this.#states = states === undefined ? [constraint.start(atTextStart)] : [...states];
  }

  /** From the end of a timeline on. */
  static begin(constraint: TokenConstraint, ids: readonly number[], tokenizer?: Tokenizer): ConstraintTimeline {
    const shows = tokenizer !== undefined && ids.some((id) => !tokenizer.isSpecial(id));
    return new ConstraintTimeline(constraint, ids.length, !shows);
  }

  get state(): ConstraintState {
    return this.#states[this.#states.length - 1];
  }

  /** Whether nothing but an end token may follow. */
  get isComplete(): boolean {
    return this.constraint.isComplete(this.state);
  }

  /** Whether the text may end where it stands. */
  get mayEnd(): boolean {
    return this.constraint.mayEnd(this.state);
  }

  /** @throws ConstraintViolationError, and nothing has changed */
  push(token: number): void {
    const next = this.constraint.advance(this.state, token);
    if (next === undefined) throw new ConstraintViolationError(token, this.from + this.#states.length - 1);
    this.#states.push(next);
  }

  allows(token: number): boolean {
    return this.constraint.advance(this.state, token) !== undefined;
  }

  /**
   * The logits with every token out of reach that may not come next.
   * @returns the timeline's own memory, valid until the next call
   * @throws NoAllowedTokenError where none is left
   */
  leave(logits: Float32Array): Float32Array {
    this.#left ??= new Float32Array(logits.length);
    if (this.constraint.apply(this.state, logits, this.#left) > 0) return this.#left;
    throw new NoAllowedTokenError(this.from + this.#states.length - 1);
  }

  /** The same constraint on a timeline that was cut to `length`; from there anew where that is before its beginning. */
  cut(length: number): ConstraintTimeline {
    if (length < this.from) return new ConstraintTimeline(this.constraint, length, false);
    this.#states.length = length - this.from + 1;
    return this;
  }

  /**
   * The same constraint on a timeline in which tokens were replaced; from there anew where its beginning was among them.
   * @param ids - all tokens, as they are then
   * @throws ConstraintViolationError; this one has not changed
   */
  spliced(
    position: number,
    removed: number,
    added: number,
    ids: readonly number[],
    tokenizer?: Tokenizer,
  ): ConstraintTimeline {
    if (position >= this.from) {
      const states = this.#states.slice(0, position - this.from + 1);
      const other = new ConstraintTimeline(this.constraint, this.from, this.atTextStart, states, this.isWhole);
      for (let i = position; i < ids.length; i++) other.push(ids[i]!);
      return other;
    }
    const from = position + removed <= this.from ? this.from + added - removed : position;
    const other = ConstraintTimeline.begin(this.constraint, ids.slice(0, from), tokenizer);
    for (let i = from; i < ids.length; i++) other.push(ids[i]!);
    return other;
  }

  /** The same where `count` tokens after the first `keep` were taken out of the timeline, and count all the same. */
  shifted(keep: number, count: number): ConstraintTimeline {
    const stateAt = (length: number) => this.#states[length - this.from]!;
    const end = this.from + this.#states.length - 1;
    const from = this.from <= keep ? this.from : Math.max(keep, this.from - count);
    const states: ConstraintState[] = [];
    for (let length = from; length <= end - count; length++) {
      states.push(stateAt(length < keep ? length : length + count));
    }
    const isWhole = this.isWhole && this.from >= keep + count;
    return new ConstraintTimeline(this.constraint, from, this.atTextStart, states, isWhole);
  }

  /** A copy that goes its own way. */
  fork(): ConstraintTimeline {
    return new ConstraintTimeline(this.constraint, this.from, this.atTextStart, this.#states, this.isWhole);
  }
}
