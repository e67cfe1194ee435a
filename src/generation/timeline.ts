/**
 * The tokens of a session and what follows from them alone: their text, how far they have come in a constraint, which of
 * them were the prompt. Knows nothing of caches and logits.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import type { TextStream, Tokenizer } from "../tokenizers/tokenizer.js";
import { ConstraintTimeline } from "./constrain/timeline.js";
import type { TokenConstraint } from "./constrain/token-constraint.js";

/** What a timeline is made of. */
export interface TimelineState {
  readonly ids: readonly number[];
  /** Tokens that shifts have taken out. */
  readonly discarded: number;
  /** Tokens before the first that was chosen, once one was. */
  readonly promptLength: number | undefined;
  readonly constraint: ConstraintTimeline | undefined;
}

export class Timeline implements TimelineState {
  #ids: number[] = [];
  #stream: TextStream | undefined;
  #constraint: ConstraintTimeline | undefined;
  #discarded = 0;
  promptLength: number | undefined;

  constructor(
    readonly tokenizer: Tokenizer | undefined,
    readonly vocabSize: number,
  ) {}

  get ids(): readonly number[] {
    return this.#ids;
  }

  get length(): number {
    return this.#ids.length;
  }

  get discarded(): number {
    return this.#discarded;
  }

  get constraint(): ConstraintTimeline | undefined {
    return this.#constraint;
  }

  /** Where random numbers are drawn: the length, had nothing been discarded, so that none is drawn twice. */
  get place(): number {
    return this.#discarded + this.#ids.length;
  }

  /** Becomes a copy of another, which goes its own way. */
  take({ ids, discarded, promptLength, constraint }: TimelineState): void {
    this.#ids = ids.slice();
    this.#discarded = discarded;
    this.promptLength = promptLength;
    this.#constraint = constraint?.fork();
  }

  constrain(constraint: TokenConstraint | undefined): void {
    this.#constraint = constraint && ConstraintTimeline.begin(constraint, this.#ids, this.tokenizer);
  }

  /**
   * Adds a token.
   * @returns text that became complete with it
   * @throws ConstraintViolationError; nothing has changed then
   */
  push(token: number): string {
    this.#constraint?.push(token);
    if (this.tokenizer === undefined) {
      this.#ids.push(token);
      return "";
    }
    this.#stream ??= this.tokenizer.stream({ after: this.#ids });
    this.#ids.push(token);
    return this.#stream.push(token);
  }

  /** Takes everything from `length` on away. */
  cut(length: number): void {
    this.#ids.length = length;
    this.#constraint = this.#constraint?.cut(length);
    this.#stream = undefined;
    if (this.promptLength !== undefined) this.promptLength = Math.min(this.promptLength, length);
  }

  /**
   * Takes `count` tokens out at a position, and puts others there.
   * @returns the first position whose token is another now
   * @throws OutOfRangeError, ConstraintViolationError; nothing has changed then
   */
  splice(position: number, count: number, added: readonly number[]): number {
    const { length } = this.#ids;
    checkWithin("position", position, length);
    checkWithin("count", count, length - position);
    for (const id of added) this.checkToken(id);
    const before = this.#ids;
    const ids = [...before.slice(0, position), ...added, ...before.slice(position + count)];
    this.#constraint = this.#constraint?.spliced(position, count, added.length, ids, this.tokenizer);
    this.#ids = ids;
    this.#stream = undefined;
    const prompt = this.promptLength;
    if (prompt !== undefined && prompt > position) {
      this.promptLength = prompt + added.length - Math.min(count, prompt - position);
    }
    let same = position;
    while (same < length && same < ids.length && ids[same] === before[same]) same++;
    return same;
  }

  /** Takes `count` tokens out after the first `keep`, as a context shift does: the constraint stands where it stood. */
  discard(keep: number, count: number): void {
    this.#ids.splice(keep, count);
    this.#discarded += count;
    this.#constraint = this.#constraint?.shifted(keep, count);
    const prompt = this.promptLength;
    if (prompt !== undefined && prompt > keep) this.promptLength = Math.max(keep, prompt - count);
  }

  /** What is left of the text at the end: bytes that never became a whole character. */
  flushText(): string {
    const text = this.#stream?.flush() ?? "";
    this.#stream = undefined;
    return text;
  }

  /** The token ids of what is added. @throws InvalidValueError for a text, without a tokenizer */
  idsOf(addition: string | ArrayLike<number>): ArrayLike<number> {
    return typeof addition === "string" ? this.needTokenizer().encode(addition, { addSpecialTokens: false }) : addition;
  }

  /** @throws InvalidValueError for a model without a tokenizer */
  needTokenizer(): Tokenizer {
    if (this.tokenizer === undefined)
      throw new InvalidValueError("text", "token ids: this model has no tokenizer", "text");
    return this.tokenizer;
  }

  /** @throws OutOfRangeError for an id that is not in the vocabulary */
  checkToken(token: number): void {
    if (Number.isInteger(token) && token >= 0 && token < this.vocabSize) return;
    throw new OutOfRangeError("token", `a whole number from 0 to ${this.vocabSize - 1}`, token);
  }
}

/** What can be read of a session's timeline. */
export class TimelineReader {
  constructor(protected readonly timeline: Timeline) {}

  /** All tokens of the timeline, the prompt's first. */
  get tokenIds(): readonly number[] {
    return this.timeline.ids;
  }

  get length(): number {
    return this.timeline.length;
  }

  /** Tokens that context shifts have discarded. */
  get discarded(): number {
    return this.timeline.discarded;
  }

  /** What the tokens from some place on have to follow, and how far they have; undefined where they are free. */
  get constraint(): Pick<ConstraintTimeline, "constraint" | "from" | "state" | "mayEnd" | "isComplete"> | undefined {
    return this.timeline.constraint;
  }

  /** The whole timeline as text. @throws InvalidValueError for a model without a tokenizer */
  get text(): string {
    return this.timeline.needTokenizer().decode(this.tokenIds);
  }

  /** What is left of the text at the end: bytes that never became a whole character. */
  flushText(): string {
    return this.timeline.flushText();
  }
}

/** @throws OutOfRangeError */
export function checkWithin(parameter: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 0 && value <= most) return;
  throw new OutOfRangeError(parameter, `a whole number from 0 to ${most}`, value);
}
