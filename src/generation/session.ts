/**
 * A sequence in progress: a timeline of token ids that is read, stepped, edited, rewound, forked, shifted and saved.
 *
 * What follows from a timeline depends on its tokens and its seed alone, to the bit: a session that was edited, rewound,
 * forked, restored or fed in pieces continues as a fresh one with the same tokens would.
 */
import { DisposedError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Tokenizer } from "../tokenizers/tokenizer.js";
import type { Alternative } from "./alternatives.js";
import { type CacheReport, cacheReport } from "./cache-report.js";
import { Computed } from "./computed.js";
import type { TokenConstraint } from "./constrain/token-constraint.js";
import { type ContextShiftOptions, divergenceOf, planShift, type ShiftDivergence } from "./context-shift.js";
import type { Engine } from "./engine.js";
import { Guides } from "./guides/guides.js";
import { StepInspection } from "./inspect.js";
import type { LoadedAdapter } from "./loaded-adapter.js";
import type { NextLogits } from "./next-logits.js";
import type { StageReport } from "./sampling/pipeline.js";
import type { Sampler, Text } from "./sampling/sampler.js";
import { saveSession } from "./saved/save.js";
import type { Sequence } from "./sequence.js";
import { checkSession, samplerOf } from "./session-choice.js";
import {
  forkOptionNames,
  type ReadOptions,
  SessionBusyError,
  type SessionOptions,
  type SessionState,
  type Step,
  type StepOptions,
  stepOptionNames,
} from "./session-options.js";
import type { FindProposal, Proposal, Verified } from "./speculation/proposer.js";
import { checkWithin, Timeline, TimelineReader } from "./timeline.js";

const none: readonly Alternative[] = [];

export class Session extends TimelineReader {
  readonly #alternatives: number;
  readonly #sampler: Sampler;
  readonly #guides: Guides | undefined;
  #computed: Computed | undefined;
  /** Whether a call that waits for the engine has not ended yet. */
  #busy = false;

  /**
   * Called by `Model.session`.
   * @param inheritedSeed - the seed where the options name none; default: a fresh one
   * @throws what `createSampler` and `planShift` throw
   */
  constructor(
    readonly engine: Engine,
    readonly tokenizer: Tokenizer | undefined,
    sequence: Sequence,
    readonly options: SessionOptions = {},
    inheritedSeed?: number,
  ) {
    super(new Timeline(tokenizer, engine.network.config.vocabSize));
    checkSession(options, engine.network);
    this.#guides = Guides.of({ engine, sequence: () => this.#open().sequence }, options);
    this.#sampler = samplerOf(engine.network, tokenizer, options, inheritedSeed, this.#guides);
    this.#alternatives = options.alternatives ?? 0;
    this.#computed = new Computed(engine, sequence, options.cache);
  }

  /** A session in a state that another was in. The sequence is the session's from here on. */
  static resume(from: Pick<Session, "engine" | "tokenizer">, sequence: Sequence, state: SessionState): Session {
    const session = new Session(from.engine, from.tokenizer, sequence, state.options, state.seed);
    session.timeline.take(state);
    session.#sampler.inherit(state);
    const { length } = session;
    if (sequence.length > length) sequence.table.truncate(length);
    const next = state.next?.length === length ? state.next.copy() : undefined;
    session.#computed = new Computed(from.engine, sequence, state.options.cache, next);
    return session;
  }

  /** Positions that the timeline can still grow by, before anything has to be discarded. */
  get room(): number {
    return this.engine.network.capacity.contextLength - this.length;
  }

  /** Whether the timeline can grow no more: there is no room, and `contextShift` makes none. */
  get isFull(): boolean {
    return this.room <= 0 && this.options.contextShift === undefined;
  }

  /** The seed in use: give it to another session to draw the same tokens. */
  get seed(): number {
    return this.#sampler.seed;
  }

  /**
   * From here on, tokens follow a constraint (see `Model.constraint`), those that are given too; undefined frees them.
   * It goes back with the timeline; where that is cut before this place, it begins anew there.
   */
  constrain(constraint: TokenConstraint | undefined): void {
    this.#idle();
    this.timeline.constrain(constraint);
  }

  /** What the model is run with; undefined: its own weights alone. */
  get adapter(): LoadedAdapter | undefined {
    return this.#idle().sequence.adapter;
  }

  /**
   * From now on the model is run with another adapter, or with none. The timeline stays, and all of it is run again at
   * the next step: what follows is what a fresh session with that adapter would give.
   * @throws InvalidValueError for an adapter of another model
   */
  useAdapter(adapter: LoadedAdapter | undefined): void {
    this.#idle().begin(adapter);
  }

  /** What the session has in the KV cache, and what its last run read of it. */
  cacheReport(): CacheReport {
    return cacheReport(this.engine.network, this.#open().sequence);
  }

  /**
   * Logits for the token after the last one. Runs what was added since the last call.
   * @returns [vocabSize], the session's own memory: valid until its next step
   */
  async logits(signal?: AbortSignal, onProgress?: StepOptions["onProgress"]): Promise<Float32Array> {
    return (await this.#alone((computed) => this.#run(computed, { signal, onProgress }))).values;
  }

  async #run(computed: Computed, how: ReadOptions, look?: StepInspection): Promise<NextLogits> {
    while (this.room < 0 && !this.isFull) await this.#shift(computed, this.options.contextShift!);
    const next = await computed.run(this.tokenIds, how, this.#alternatives, look);
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
    return this.#alone(async ({ sequence, ahead }) => {
      const proposal = typeof propose === "function" ? await propose(sequence) : propose;
      const verified = await ahead.run(this.engine, sequence, this.tokenIds, proposal, signal);
      this.#open(); // it may have been disposed meanwhile
      return verified;
    });
  }

  /** Steps whose logits were computed ahead, if they take the tokens that were expected. */
  get stepsAhead(): number {
    return this.#computed?.ahead.stepsFrom(this.length) ?? 0;
  }

  /**
   * Chooses the next token and adds it to the timeline.
   * @throws ContextFullError, OutOfRangeError for a given token that is not in the vocabulary
   */
  async step(options: StepOptions = {}): Promise<Step> {
    rejectUnknownOptions(options, stepOptionNames);
    return this.#alone((computed) => this.#step(computed, options));
  }

  /**
   * The step, where nothing has to be waited for: one token is to be run, and the engine is free. Else undefined, and
   * nothing has changed: `step` does it. Generation is made of these; nothing else can come between two of them.
   * @throws what `step` throws
   */
  stepNow(): Step | undefined {
    const computed = this.#idle();
    if (this.#sampler.mayWait || (this.room < 0 && !this.isFull)) return undefined;
    const next = computed.runNow(this.tokenIds);
    if (next === undefined) return undefined;
    return this.#chosen(next);
  }

  async #step(computed: Computed, options: StepOptions): Promise<Step> {
    const look = options.inspect && new StepInspection(this.engine.network, options.inspect, computed.sequence);
    const next = await this.#run(computed, options, look);
    if (options.token !== undefined) return this.#take(next, options.token, undefined, look);
    if (!this.#sampler.mayWait) return this.#chosen(next, look);
    const reports: StageReport[] | undefined = this.options.report ? [] : undefined;
    const left = this.timeline.constraint?.leave(next.values) ?? next.values;
    const token = await this.#sampler.chooseWaiting(left, this.timeline.place, this.#text(), reports);
    this.#open(); // it may have been disposed meanwhile
    return this.#take(next, token, reports, look);
  }

  #chosen(next: NextLogits, look?: StepInspection): Step {
    const reports: StageReport[] | undefined = this.options.report ? [] : undefined;
    return this.#take(next, this.#choose(next, reports), reports, look);
  }

  /** Adds a token that was chosen from logits. */
  #take(next: NextLogits, token: number, report?: readonly StageReport[], look?: StepInspection): Step {
    const position = this.length;
    this.timeline.promptLength ??= position;
    this.timeline.checkToken(token);
    const text = this.#push(token);
    const alternatives = this.#alternatives === 0 ? none : next.top(this.#alternatives);
    const step: Step = { token, text, logprob: next.logprob(token), alternatives, position, logits: next.values };
    if (report === undefined && look === undefined) return step;
    return { ...step, ...(report && { report }), ...(look && { inspected: look.results }) };
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
    const ids = this.timeline.idsOf(addition);
    if (ids.length === 0) return;
    this.extend(ids);
    await this.#alone(async (computed) => {
      try {
        await this.#run(computed, { signal });
      } catch (error) {
        this.#cut(computed, Math.max(0, this.length - ids.length));
        throw error;
      }
    });
  }

  /** Adds token ids without running them yet; the next step or `logits` does. */
  extend(ids: ArrayLike<number>): void {
    const computed = this.#idle();
    const { length } = this;
    try {
      for (let i = 0; i < ids.length; i++) this.#push(ids[i]!);
    } catch (error) {
      this.#cut(computed, length);
      throw error;
    }
  }

  /**
   * Replaces the token at a position. What stands before it stays valid; it and what stands after it are run (again) at
   * the next need. As if the timeline had been rewound to the position, and the tokens given again.
   * @throws OutOfRangeError, ConstraintViolationError; nothing has changed then
   */
  edit(position: number, token: number): void {
    this.splice(position, 1, [token]);
  }

  /** The same of `count` tokens, and any number of others in their place; those after them move. */
  splice(position: number, count: number, added: ArrayLike<number> = []): void {
    const computed = this.#idle();
    this.#forget(computed, this.timeline.splice(position, count, Array.from(added)));
  }

  /** Takes the last `count` tokens off the timeline. @throws OutOfRangeError */
  rewind(count: number): void {
    const computed = this.#idle();
    checkWithin("count", count, this.length);
    if (count > 0) this.#cut(computed, this.length - count);
  }

  #cut(computed: Computed, length: number): void {
    this.timeline.cut(length);
    this.#forget(computed, length);
  }

  #forget(computed: Computed, length: number): void {
    computed.forget(length);
    this.#sampler.forget(this.timeline.discarded + length);
  }

  /**
   * Discards tokens behind the first few, and moves the rest down: see `ContextShiftOptions`. Sessions that have the
   * option `contextShift` do so by themselves when the context is full.
   * @param options - default: the session's own
   * @returns tokens discarded
   * @throws ShiftImpossibleError, UnsupportedError, OutOfRangeError, UnknownOptionError, CacheFullError
   */
  async shift(options: ContextShiftOptions = this.options.contextShift ?? {}): Promise<number> {
    return this.#alone((computed) => this.#shift(computed, options));
  }

  async #shift(computed: Computed, options: ContextShiftOptions): Promise<number> {
    const plan = planShift(options, this.length, this.engine.network);
    await computed.shift(plan, this.length);
    this.timeline.discard(plan.keep, plan.discard);
    return plan.discard;
  }

  /**
   * How far what this session predicts next is from what its tokens predict when they are run again: 0, to the bit,
   * unless keys have been turned by a context shift. Runs all tokens, beside the session.
   * @throws CacheFullError where there is no room for them
   */
  async shiftDivergence(signal?: AbortSignal): Promise<ShiftDivergence> {
    return this.#alone(async (computed) => {
      const next = await this.#run(computed, { signal });
      return divergenceOf(this.engine, computed.sequence, this.tokenIds, next, signal);
    });
  }

  /**
   * A second timeline with the same past, sharing its memory until they differ.
   * It draws the same tokens as this one unless given another seed.
   */
  fork(options: SessionOptions = {}): Session {
    rejectUnknownOptions(options, forkOptionNames);
    const merged = { ...this.options, ...options, sampling: { ...this.options.sampling, ...options.sampling } };
    const sequence = this.#idle().sequence.fork();
    try {
      const fork = Session.resume(this, sequence, { ...this.#state(), options: merged });
      if (this.#guides) fork.#guides?.inherit(this.#guides);
      return fork;
    } catch (error) {
      sequence.dispose();
      throw error;
    }
  }

  #state(): SessionState {
    const { ids, discarded, promptLength, constraint } = this.timeline;
    const { seed, limits } = this.#sampler;
    const next = this.#computed?.next;
    return { ids, discarded, promptLength, constraint, options: this.options, seed, limits, next };
  }

  /**
   * The session as bytes, its part of the cache with it: `Model.restore` goes on from them, also in another process,
   * without running the tokens again, to the same bits.
   * @throws UnsupportedError for options that are functions, other than `processors`
   */
  async save(): Promise<Uint8Array> {
    return this.#alone(({ ahead, sequence }) => {
      ahead.end(this.length, sequence);
      return this.engine.between(() => saveSession(this.engine, sequence, this.#state()));
    });
  }

  /** Frees the session's memory, once what is under way has ended. It cannot be used afterwards. */
  dispose(): void {
    if (!this.#busy && this.#computed) this.#free(this.#computed);
    this.#computed = undefined;
  }

  #free(computed: Computed): void {
    computed.release(this.tokenIds);
    this.#guides?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #choose({ values, likeliest }: NextLogits, reports?: StageReport[]): number {
    const { constraint, place } = this.timeline;
    // The likeliest of all is the likeliest of those that the constraint allows, where it is one of them.
    if (this.#sampler.greedy && constraint?.allows(likeliest) !== false) return likeliest;
    return this.#sampler.choose(constraint?.leave(values) ?? values, place, this.#text(), reports);
  }

  #text(): Text {
    const { ids, length, promptLength = length } = this.timeline;
    return { ids, promptLength, drawn: this.#computed?.ahead.drawnAt(length) };
  }

  #push(token: number): string {
    const text = this.timeline.push(token);
    const { ahead, sequence } = this.#open();
    ahead.follow(token, this.length - 1, sequence);
    return text;
  }

  /** Runs `task` while nothing else may touch the timeline. */
  async #alone<T>(task: (computed: Computed) => Promise<T>): Promise<T> {
    const computed = this.#idle();
    this.#busy = true;
    try {
      return await task(computed);
    } finally {
      this.#busy = false;
      if (this.#computed === undefined) this.#free(computed);
    }
  }

  #idle(): Computed {
    const computed = this.#open();
    if (this.#busy) throw new SessionBusyError();
    return computed;
  }

  #open(): Computed {
    if (this.#computed === undefined) throw new DisposedError("session");
    return this.#computed;
  }
}
