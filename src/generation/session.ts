/**
 * A sequence in progress: a mutable timeline of token ids that can be read, stepped, appended to, rewound and forked.
 *
 * What follows from a timeline depends on its tokens and its seed alone, to the bit: a session that was rewound,
 * forked or fed in pieces continues as a fresh one with the same tokens would.
 */
import { DisposedError, InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { TextStream, Tokenizer } from "../tokenizers/tokenizer.js";
import { type Alternative, topAlternatives } from "./alternatives.js";
import { ConstraintTimeline } from "./constrain/timeline.js";
import type { TokenConstraint } from "./constrain/token-constraint.js";
import type { Engine } from "./engine.js";
import type { LoadedAdapter } from "./loaded-adapter.js";
import { NextLogits } from "./next-logits.js";
import type { StageReport } from "./sampling/pipeline.js";
import { createSampler, type Sampler, type Text } from "./sampling/sampler.js";
import type { Sequence } from "./sequence.js";
import {
  forkOptionNames,
  SessionBusyError,
  type SessionOptions,
  type Step,
  type StepOptions,
  stepOptionNames,
} from "./session-options.js";
import { Ahead } from "./speculation/ahead.js";
import type { FindProposal, Proposal, Verified } from "./speculation/proposer.js";

export { SessionBusyError } from "./session-options.js";

const none: readonly Alternative[] = [];

export class Session {
  readonly #ids: number[] = [];
  readonly #alternatives: number;
  readonly #sampler: Sampler;
  #sequence: Sequence | undefined;
  /** Whether a call that waits for the engine has not ended yet. */
  #busy = false;
  #stream: TextStream | undefined;
  #next: NextLogits | undefined;
  #constraint: ConstraintTimeline | undefined;
  readonly #ahead = new Ahead();
  /** Tokens before the first that was chosen, once one was. */
  #promptLength: number | undefined;

  /**
   * Called by `Model.session`.
   * @param inheritedSeed - the seed where the options name none; default: a fresh one
   * @throws what `createSampler` throws
   */
  constructor(
    readonly engine: Engine,
    readonly tokenizer: Tokenizer | undefined,
    sequence: Sequence,
    readonly options: SessionOptions = {},
    inheritedSeed?: number,
  ) {
    const { vocabSize, endIds: ownEnds, bannedIds = [] } = engine.network.config;
    const endIds = [...new Set([...ownEnds, ...(tokenizer?.endIds ?? [])])];
    const { sampling = {}, ...others } = options;
    this.#sampler = createSampler(sampling, { vocabSize, endIds, bannedIds }, inheritedSeed, others);
    this.#alternatives = options.alternatives ?? 0;
    if (!(Number.isInteger(this.#alternatives) && this.#alternatives >= 0 && this.#alternatives <= vocabSize)) {
      throw new OutOfRangeError("alternatives", `a whole number from 0 to ${vocabSize}`, this.#alternatives);
    }
    this.#sequence = sequence;
  }

  /** All tokens of the timeline, the prompt's first. */
  get tokenIds(): readonly number[] {
    return this.#ids;
  }

  get length(): number {
    return this.#ids.length;
  }

  /** Positions that the timeline can still grow by. */
  get room(): number {
    return this.engine.network.capacity.contextLength - this.#ids.length;
  }

  /** The seed in use: give it to another session to draw the same tokens. */
  get seed(): number {
    return this.#sampler.seed;
  }

  /** What the tokens from some place on have to follow, and how far they have; undefined where they are free. */
  get constraint(): Pick<ConstraintTimeline, "constraint" | "from" | "state" | "mayEnd" | "isComplete"> | undefined {
    return this.#constraint;
  }

  /**
   * From here on, tokens follow a constraint (see `Model.constraint`), those that are given too; undefined frees them.
   * It goes back with the timeline; where that is cut before this place, it begins anew there.
   */
  constrain(constraint: TokenConstraint | undefined): void {
    this.#idle();
    this.#constraint = constraint && ConstraintTimeline.begin(constraint, this.#ids, this.tokenizer);
  }

  /** What the model is run with; undefined: its own weights alone. */
  get adapter(): LoadedAdapter | undefined {
    return this.#idle().adapter;
  }

  /**
   * From now on the model is run with another adapter, or with none. The timeline stays, and all of it is run again at
   * the next step: what follows is what a fresh session with that adapter would give.
   * @throws InvalidValueError for an adapter of another model
   */
  useAdapter(adapter: LoadedAdapter | undefined): void {
    const sequence = this.#idle();
    if (adapter === sequence.adapter) return;
    if (adapter !== undefined && adapter.network !== this.engine.network) {
      throw new InvalidValueError("adapter", "one that was loaded beside this model", adapter.path);
    }
    this.#ahead.dispose();
    sequence.table.truncate(0);
    sequence.adapter = adapter;
    this.#ownNext().length = -1;
  }

  /** The whole timeline as text. @throws InvalidValueError for a model without a tokenizer */
  get text(): string {
    return this.#needTokenizer().decode(this.#ids);
  }

  /**
   * Logits for the token after the last one. Runs what was added since the last call.
   * @returns [vocabSize], the session's own memory: valid until its next step
   */
  async logits(signal?: AbortSignal, onProgress?: StepOptions["onProgress"]): Promise<Float32Array> {
    return (await this.#alone((sequence) => this.#run(sequence, signal, onProgress))).values;
  }

  async #run(sequence: Sequence, signal?: AbortSignal, onProgress?: StepOptions["onProgress"]): Promise<NextLogits> {
    if (this.#ids.length === 0)
      throw new InvalidValueError("session", "a sequence of at least one token", "an empty one");
    const next = this.#ownNext();
    if (next.length === this.#ids.length) return next;
    // The last token is run again where it was run before without its logits being kept: same bits.
    const from = Math.min(sequence.length, this.#ids.length - 1);
    if (sequence.length > from) sequence.table.truncate(from);
    const ids = from === 0 ? this.#ids : this.#ids.slice(from);
    next.length = -1;
    await this.engine.advance([{ sequence, ids, outputs: "last" }], {
      signal,
      onProgress,
      onOutput: (row) => next.set(row, from + ids.length),
    });
    this.#open(); // it may have been disposed meanwhile
    return next;
  }

  /**
   * Runs tokens that may come next along with the last one. Steps that take them find their logits; a step that takes
   * another token forgets the rest. Either way the timeline is what it would be without.
   * @param propose - the tokens, or what finds them; that may run the sequence on, and has to cut it back again
   * @throws ContextFullError, CacheFullError, OutOfRangeError for an id outside the vocabulary; nothing is ahead then
   */
  async lookAhead(propose: Proposal | FindProposal, signal?: AbortSignal): Promise<Verified> {
    return this.#alone(async (sequence) => {
      const proposal = typeof propose === "function" ? await propose(sequence) : propose;
      const verified = await this.#ahead.run(this.engine, sequence, this.#ids, proposal, signal);
      this.#open(); // it may have been disposed meanwhile
      return verified;
    });
  }

  /** Steps whose logits were computed ahead, if they take the tokens that were expected. */
  get stepsAhead(): number {
    return this.#ahead.stepsFrom(this.#ids.length);
  }

  /**
   * Chooses the next token and adds it to the timeline.
   * @throws ContextFullError, OutOfRangeError for a given token that is not in the vocabulary
   */
  async step(options: StepOptions = {}): Promise<Step> {
    rejectUnknownOptions(options, stepOptionNames);
    return this.#alone((sequence) => this.#step(sequence, options));
  }

  /**
   * The step, where nothing has to be waited for: one token is to be run, and the engine is free. Else undefined, and
   * nothing has changed: `step` does it. Generation is made of these; nothing else can come between two of them.
   * @throws what `step` throws
   */
  stepNow(): Step | undefined {
    const sequence = this.#idle();
    if (this.#sampler.mayWait || !this.#runNow(sequence)) return undefined;
    const reports: StageReport[] | undefined = this.options.report ? [] : undefined;
    return this.#take(this.#next!, this.#choose(this.#next!, reports), reports);
  }

  async #step(sequence: Sequence, options: StepOptions): Promise<Step> {
    const next = await this.#run(sequence, options.signal, options.onProgress);
    if (options.token !== undefined) return this.#take(next, options.token);
    const reports: StageReport[] | undefined = this.options.report ? [] : undefined;
    if (!this.#sampler.mayWait) return this.#take(next, this.#choose(next, reports), reports);
    const left = this.#constraint?.leave(next.values) ?? next.values;
    const token = await this.#sampler.chooseWaiting(left, this.#ids.length, this.#text(), reports);
    this.#open(); // it may have been disposed meanwhile
    return this.#take(next, token, reports);
  }

  /** Has the logits after the last token without waiting, or returns false. */
  #runNow(sequence: Sequence): boolean {
    const { length } = this.#ids;
    const next = this.#ownNext();
    if (next.length === length) return length > 0;
    if (sequence.length !== length - 1) return false;
    const run = this.engine.advanceNow(sequence, this.#ids[length - 1]!);
    if (run === undefined) return false;
    next.set(run, length);
    return true;
  }

  /** The session's logits; those after the last token, where they are known or were computed ahead. */
  #ownNext(): NextLogits {
    this.#next ??= new NextLogits(this.engine.network.config.vocabSize);
    const { length } = this.#ids;
    const row = this.#next.length === length ? undefined : this.#ahead.rowAt(length);
    if (row !== undefined) this.#next.set(row, length);
    return this.#next;
  }

  /** Adds a token that was chosen from `logits`. */
  #take(next: NextLogits, token: number, report?: readonly StageReport[]): Step {
    const { values: logits, logSumExp } = next;
    const position = this.#ids.length;
    this.#promptLength ??= position;
    if (!(Number.isInteger(token) && token >= 0 && token < logits.length)) {
      throw new OutOfRangeError("token", `a whole number from 0 to ${logits.length - 1}`, token);
    }
    const text = this.#push(token);
    const logprob = next.logprob(token);
    const alternatives = this.#alternatives === 0 ? none : topAlternatives(logits, logSumExp, this.#alternatives);
    if (report === undefined) return { token, text, logprob, alternatives, position, logits };
    return { token, text, logprob, alternatives, position, logits, report };
  }

  /** Steps `count` times; returns the tokens. */
  async take(count: number): Promise<number[]> {
    const tokens: number[] = [];
    for (let i = 0; i < count; i++) tokens.push((await this.step()).token);
    return tokens;
  }

  /** Adds text or token ids to the timeline; they are run now, so that the next step is quick. */
  async append(addition: string | ArrayLike<number>, signal?: AbortSignal): Promise<void> {
    this.#idle();
    const ids =
      typeof addition === "string" ? this.#needTokenizer().encode(addition, { addSpecialTokens: false }) : addition;
    if (ids.length === 0) return;
    this.extend(ids);
    await this.#alone(async (sequence) => {
      try {
        await this.#run(sequence, signal);
      } catch (error) {
        this.#cut(sequence, ids.length);
        throw error;
      }
    });
  }

  /** Adds token ids without running them yet; the next step or `logits` does. */
  extend(ids: ArrayLike<number>): void {
    const sequence = this.#idle();
    const { length } = this.#ids;
    try {
      for (let i = 0; i < ids.length; i++) this.#push(ids[i]!);
    } catch (error) {
      this.#cut(sequence, this.#ids.length - length);
      throw error;
    }
  }

  /** Takes the last `count` tokens off the timeline. @throws OutOfRangeError */
  rewind(count: number): void {
    const sequence = this.#idle();
    if (!(Number.isInteger(count) && count >= 0 && count <= this.#ids.length)) {
      throw new OutOfRangeError("count", `a whole number from 0 to ${this.#ids.length}`, count);
    }
    if (count > 0) this.#cut(sequence, count);
  }

  #cut(sequence: Sequence, count: number): void {
    this.#ids.length -= count;
    this.#ahead.end(this.#ids.length, sequence);
    this.#constraint = this.#constraint?.cut(this.#ids.length);
    if (sequence.length > this.#ids.length) sequence.table.truncate(this.#ids.length);
    if (this.#next !== undefined) this.#next.length = -1;
    this.#stream = undefined;
    if (this.#promptLength !== undefined) this.#promptLength = Math.min(this.#promptLength, this.#ids.length);
  }

  /**
   * A second timeline with the same past, sharing its memory until they differ.
   * It draws the same tokens as this one unless given another seed.
   */
  fork(options: SessionOptions = {}): Session {
    rejectUnknownOptions(options, forkOptionNames);
    const merged = { ...this.options, ...options, sampling: { ...this.options.sampling, ...options.sampling } };
    const sequence = this.#idle().fork();
    let fork: Session;
    try {
      fork = new Session(this.engine, this.tokenizer, sequence, merged, this.seed);
    } catch (error) {
      sequence.dispose();
      throw error;
    }
    for (const id of this.#ids) fork.#ids.push(id);
    if (sequence.length > fork.length) sequence.table.truncate(fork.length);
    fork.#constraint = this.#constraint?.fork();
    fork.#promptLength = this.#promptLength;
    fork.#sampler.inherit(this.#sampler);
    if (this.#next?.length === this.#ids.length) fork.#next = this.#next.copy();
    return fork;
  }

  /** What is left of the text at the end: bytes that never became a whole character. */
  flushText(): string {
    const text = this.#stream?.flush() ?? "";
    this.#stream = undefined;
    return text;
  }

  /** Frees the session's memory, once what is under way has ended. It cannot be used afterwards. */
  dispose(): void {
    if (!this.#busy && this.#sequence !== undefined) this.#free(this.#sequence);
    this.#sequence = undefined;
  }

  #free(sequence: Sequence): void {
    this.#ahead.dispose();
    sequence.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #choose({ values, likeliest }: NextLogits, reports?: StageReport[]): number {
    // The likeliest of all is the likeliest of those that the constraint allows, where it is one of them.
    if (this.#sampler.greedy && this.#constraint?.allows(likeliest) !== false) return likeliest;
    return this.#sampler.choose(this.#constraint?.leave(values) ?? values, this.#ids.length, this.#text(), reports);
  }

  #text(): Text {
    const { length } = this.#ids;
    return { ids: this.#ids, promptLength: this.#promptLength ?? length, drawn: this.#ahead.drawnAt(length) };
  }

  #push(token: number): string {
    this.#constraint?.push(token);
    this.#ahead.follow(token, this.#ids.length, this.#sequence!);
    if (this.tokenizer === undefined) {
      this.#ids.push(token);
      return "";
    }
    this.#stream ??= this.tokenizer.stream({ after: this.#ids });
    this.#ids.push(token);
    return this.#stream.push(token);
  }

  /** Runs `task` while nothing else may touch the timeline. */
  async #alone<T>(task: (sequence: Sequence) => Promise<T>): Promise<T> {
    const sequence = this.#idle();
    this.#busy = true;
    try {
      return await task(sequence);
    } finally {
      this.#busy = false;
      if (this.#sequence === undefined) this.#free(sequence);
    }
  }

  #idle(): Sequence {
    const sequence = this.#open();
    if (this.#busy) throw new SessionBusyError();
    return sequence;
  }

  #open(): Sequence {
    if (this.#sequence === undefined) throw new DisposedError("session");
    return this.#sequence;
  }

  #needTokenizer(): Tokenizer {
    if (this.tokenizer === undefined)
      throw new InvalidValueError("text", "token ids: this model has no tokenizer", "text");
    return this.tokenizer;
  }
}
