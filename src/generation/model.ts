/**
 * A loaded model: weights that are shared and never change, and everything one can ask of them.
 *
 * Sessions, generation, logits and inspection all run the one program of the network.
 */
import type { PrefixReport } from "../cache/prefix-tree.js";
import { DisposedError, InvalidValueError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { AdapterBase } from "../models/adapters/merge.js";
import type { AdapterFile } from "../models/adapters/peft.js";
import type { ModelConfig } from "../models/config.js";
import type { GenerationDefaults } from "../models/generation-defaults.js";
import type { Network } from "../models/network.js";
import type { LoadedTokenizer } from "../tokenizers/index.js";
import { type ChatMessage, type ChatOptions, renderChat } from "../tokenizers/index.js";
import type { Tokenizer } from "../tokenizers/tokenizer.js";
import { ConstraintCompiler } from "./constrain/compiler.js";
import type { Constraint } from "./constrain/constraint.js";
import { TokenConstraint } from "./constrain/token-constraint.js";
import { Engine } from "./engine.js";
import { checkGeneration, type Generation, type GenerationOptions, generate, sessionOptionsOf } from "./generate.js";
import { Healing } from "./healing.js";
import { type Inspection, inspect } from "./inspect.js";
import { LoadedAdapter } from "./loaded-adapter.js";
import type { ChoiceModel } from "./sampling/stages.js";
import { type RestoreOptions, restoreSession } from "./saved/restore.js";
import { searchAll } from "./search/beam-search.js";
import { type Hypothesis, hypothesisOf } from "./search/hypothesis.js";
import { type BeamSearchOptions, beamSettings } from "./search/options.js";
import type { EncodedPrompt } from "./search/prompt-search.js";
import { drawSamples, type SampleOptions } from "./search/samples.js";
import { Session } from "./session.js";
import { type SessionOptions, sessionOptionNames } from "./session-options.js";
import { speculate } from "./speculation/speculate.js";

type Text = string | ArrayLike<number>;

/**
 * What a sequence begins with. For an encoder-decoder model a plain text is the source; `target` begins the answer.
 * Token ids are taken as they are; text is encoded with the special tokens that the model expects.
 */
export type Prompt = Text | { readonly source: Text; readonly target?: Text };

export interface ModelParts {
  readonly network: Network;
  readonly tokenizer?: LoadedTokenizer;
  readonly sourceTokenizer?: LoadedTokenizer;
  readonly generationDefaults?: GenerationDefaults;
  /** What adapters are matched with; absent: none can be loaded. */
  readonly adapterBase?: AdapterBase;
  /** Bytes of the cache that may hold what was run before, for sessions that begin alike. Default 0: none. */
  readonly prefixBytes?: number;
  /** Frees what the model stands on: the backend, unless it is shared. */
  readonly release: () => Promise<void>;
}

export class Model implements AsyncDisposable {
  readonly engine: Engine;
  readonly config: ModelConfig;
  #disposed = false;
  #constraints: ConstraintCompiler | undefined;
  readonly #adapters = new Set<LoadedAdapter>();

  constructor(readonly parts: ModelParts) {
    this.engine = new Engine(parts.network, parts.prefixBytes);
    this.config = parts.network.config;
  }

  /** @throws InvalidValueError for a checkpoint that came without one */
  get tokenizer(): Tokenizer {
    const tokenizer = this.parts.tokenizer?.tokenizer;
    if (tokenizer === undefined) throw new InvalidValueError("tokenizer", "in the checkpoint", undefined);
    return tokenizer;
  }

  /** Whether the checkpoint came with a tokenizer; without one, prompts are token ids. */
  get hasTokenizer(): boolean {
    return this.parts.tokenizer !== undefined;
  }

  /** Ids that end a completion: the configuration's and the tokenizer's. */
  get endIds(): readonly number[] {
    return [...new Set([...this.config.endIds, ...(this.parts.tokenizer?.tokenizer.endIds ?? [])])];
  }

  /**
   * How the checkpoint's makers want text drawn from it, as options of `generate`; empty where they say nothing. It is
   * used where it is passed on: `model.generate(prompt, { ...model.generationDefaults })`.
   */
  get generationDefaults(): GenerationDefaults {
    return this.parts.generationDefaults ?? {};
  }

  /** Positions in one sequence. */
  get contextLength(): number {
    return this.engine.network.capacity.contextLength;
  }

  /**
   * Logits after every token.
   * @param input - token ids; for an encoder-decoder model the source and what is fed to the decoder, its start id first
   * @returns [tokens × vocabSize]; row i predicts the token after token i
   */
  async logits(
    input: ArrayLike<number> | { readonly source: ArrayLike<number>; readonly target: ArrayLike<number> },
    options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void } = {},
  ): Promise<Float32Array> {
    rejectUnknownOptions(options, ["signal", "onProgress"]);
    this.#open();
    const { source, target } = "source" in input ? input : { source: undefined, target: input };
    const { vocabSize } = this.config;
    const all = new Float32Array(target.length * vocabSize);
    const sequence = await this.engine.sequence(source);
    try {
      const onOutput = ({ index, logits }: { index: number; logits: Float32Array }) =>
        all.set(logits, index * vocabSize);
      await this.engine.advance([{ sequence, ids: target, outputs: "all" }], { ...options, onOutput });
    } finally {
      sequence.dispose();
    }
    return all;
  }

  /**
   * A sequence in progress that begins with `prompt`. Nothing of it is run before the first step.
   * Dispose it, or use `using`, to free its place in the cache.
   */
  async session(prompt: Prompt, options: SessionOptions = {}): Promise<Session> {
    rejectUnknownOptions(options, sessionOptionNames);
    this.#open();
    const { source, ids } = this.encode(prompt);
    const sequence = await this.engine.sequence(source);
    try {
      const session = new Session(this.engine, this.parts.tokenizer?.tokenizer, sequence, this.#withNegative(options));
      session.extend(ids);
      session.useAdapter(options.adapter);
      if (options.constraint !== undefined) session.constrain(this.constraint(options.constraint));
      return session;
    } catch (error) {
      sequence.dispose();
      throw error;
    }
  }

  /** Options with the negative prompt as token ids. */
  #withNegative(options: SessionOptions): SessionOptions {
    const { guidance } = options;
    const negative = guidance?.negative;
    if (guidance === undefined || negative === undefined) return options;
    const { source, ids } = typeof negative === "string" ? this.encode(negative) : { ids: negative };
    return { ...options, guidance: { ...guidance, negative: Array.from(source ?? ids) } };
  }

  /**
   * A session that goes on where one was saved (`Session.save`), here or in another process: the same bits, and no token
   * is run again.
   * @throws OtherModelError, CacheLayoutError, FormatError, TruncatedFileError, UnsupportedError, InvalidValueError where
   *   processors are missing, CacheFullError, ContextFullError
   */
  async restore(saved: Uint8Array, options: RestoreOptions = {}): Promise<Session> {
    this.#open();
    const { engine, parts } = this;
    const constraint = (source: Constraint) => this.constraint(source);
    return restoreSession({ engine, tokenizer: parts.tokenizer?.tokenizer, constraint }, saved, options);
  }

  /** What is held of earlier sessions for those that begin alike, and what it was good for; undefined where nothing is. */
  get prefixes(): PrefixReport | undefined {
    return this.engine.prefixes?.report;
  }

  /**
   * A constraint made ready for this model's vocabulary. What it works out is kept, so one that is used often is made
   * once; the last few that were asked for by value are kept too.
   * @throws InvalidValueError for a model without a tokenizer, and what `compileConstraint` throws
   */
  constraint(constraint: Constraint | TokenConstraint): TokenConstraint {
    if (constraint instanceof TokenConstraint) return constraint;
    this.#constraints ??= new ConstraintCompiler(this.tokenizer, this.config.vocabSize, this.endIds);
    return this.#constraints.compile(constraint);
  }

  /**
   * Loads a LoRA adapter beside the weights, for sessions to have or not: `session(prompt, { adapter })`,
   * `session.useAdapter(adapter)`. The file may be closed afterwards. Freed by its `dispose`, or with the model.
   * @param file - from `openAdapter`; in Node, `loadAdapter` takes a path
   * @throws what `LoadedAdapter.load` throws
   */
  async loadAdapter(file: AdapterFile): Promise<LoadedAdapter> {
    this.#open();
    const base = this.parts.adapterBase ?? { format: "unknown", recipes: new Map() };
    const adapter = await LoadedAdapter.load(this.parts.network, base, file, (gone) => this.#adapters.delete(gone));
    this.#adapters.add(adapter);
    return adapter;
  }

  /**
   * Streams a completion of `prompt`, token by token. Ending the loop early frees everything. A consumer that calls
   * `next` itself may put another token in place of the one that it was given: see `StepAnswer`.
   * @throws UnknownOptionError, OutOfRangeError, ContextFullError, and the signal's reason when it is aborted
   */
  generate(prompt: Prompt, options: GenerationOptions = {}): Generation {
    const { speculation, tokenHealing } = options;
    const open = () => {
      checkGeneration(options);
      return this.session(prompt, sessionOptionsOf(options));
    };
    const takesSteps = (session: Session) => speculate(this, session, speculation!, this.encode(prompt).source);
    const heals = (session: Session) => Healing.begin(session, (constraint) => this.constraint(constraint));
    return generate(open, options, this.endIds, {
      speculate: speculation && takesSteps,
      heal: tokenHealing ? heals : undefined,
    });
  }

  /**
   * The likeliest completions that a beam search finds.
   * @returns at most `options.count` of them, best first
   * @throws UnknownOptionError, InvalidValueError, OutOfRangeError, ContextFullError, CacheFullError,
   *   NoContinuationError, PhrasesMissingError, and the signal's reason when it is aborted
   */
  async beamSearch(prompt: Prompt, options: BeamSearchOptions = {}): Promise<Hypothesis[]> {
    return (await this.beamSearchAll([prompt], options))[0]!;
  }

  /**
   * A beam search for each prompt, several of them at a time in the same runs of the program: faster than one by one,
   * and the same to the bit.
   * @returns for each prompt what `beamSearch` returns
   */
  async beamSearchAll(prompts: readonly Prompt[], options: BeamSearchOptions = {}): Promise<Hypothesis[][]> {
    this.#open();
    const settings = beamSettings(options, this.#choiceModel, (text) =>
      this.tokenizer.encode(text, { addSpecialTokens: false }),
    );
    const encoded = prompts.map((prompt) => this.encode(prompt));
    const results = await searchAll(this.engine, encoded, settings, options);
    const ends = { endIds: this.endIds, all: settings.ends, maxTokens: settings.maxTokens };
    const tokenizer = this.parts.tokenizer?.tokenizer;
    return results.map((found, i) => found.map((beam) => hypothesisOf(beam, encoded[i]!.ids, tokenizer, ends)));
  }

  /**
   * Several completions of a prompt, drawn side by side: for `bestOf`, `vote` and `minimumBayesRisk` to choose among.
   * @returns `options.count` of them; `score` is the mean ln p of the tokens
   * @throws UnknownOptionError, OutOfRangeError, InvalidValueError, ContextFullError, CacheFullError, NoTokenLeftError,
   *   and the signal's reason when it is aborted
   */
  async sample(prompt: Prompt, options: SampleOptions = {}): Promise<Hypothesis[]> {
    this.#open();
    const encoded = this.encode(prompt);
    const { found, ends, maxTokens } = await drawSamples(this.engine, encoded, options, this.#choiceModel);
    const tokenizer = this.parts.tokenizer?.tokenizer;
    const about = { endIds: this.endIds, all: ends, maxTokens };
    return found.map((beam) => hypothesisOf(beam, encoded.ids, tokenizer, about));
  }

  /**
   * The token ids of a prompt: the source's, and what is fed to the decoder, an encoder-decoder model's start id first.
   * @throws InvalidValueError for a prompt of the other kind of model, or an empty one where no beginning token is known
   */
  encode(prompt: Prompt): EncodedPrompt {
    const { config } = this;
    const both = typeof prompt === "object" && "source" in prompt;
    if (config.kind === "decoder-only") {
      if (both) throw new InvalidValueError("prompt", "a text or token ids for a decoder-only model", "a source");
      return { ids: this.#begin(prompt) };
    }
    const { source, target } = both ? prompt : { source: prompt, target: undefined };
    const reader = this.parts.sourceTokenizer?.tokenizer ?? this.parts.tokenizer?.tokenizer;
    const start = [config.decoderStartId];
    const answer =
      typeof target === "string" ? this.tokenizer.encode(target, { addSpecialTokens: false }) : (target ?? []);
    return { source: encodeText(source, reader), ids: [...start, ...Array.from(answer)] };
  }

  /**
   * Named results inside the model for every token, such as `blocks.0.attention.query`: the program that generates,
   * with these values kept.
   * @returns by name, [tokens, width]; see `resultNames`
   */
  async inspect(
    input: ArrayLike<number> | { readonly source: ArrayLike<number>; readonly target: ArrayLike<number> },
    names: readonly string[],
  ): Promise<Map<string, Inspection>> {
    this.#open();
    return inspect(this.engine, input, names);
  }

  /** Every name that `inspect` takes. */
  resultNames(): string[] {
    return this.parts.network.resultNames();
  }

  /** A prompt from chat messages, by the checkpoint's template. @throws InvalidValueError where there is none */
  chatPrompt(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
    const { chatTemplate, bosToken, eosToken } = this.parts.tokenizer ?? {};
    if (chatTemplate === undefined) throw new InvalidValueError("chat template", "in the checkpoint", undefined);
    return renderChat(chatTemplate, messages, { addGenerationPrompt: true, bosToken, eosToken, ...options });
  }

  /** Waits for what is running, then frees all memory. */
  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.engine.idle();
    for (const adapter of this.#adapters) adapter.dispose();
    this.parts.network.dispose();
    await this.parts.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  #open(): void {
    if (this.#disposed) throw new DisposedError("model");
  }

  get #choiceModel(): ChoiceModel {
    const { vocabSize, bannedIds = [] } = this.config;
    return { vocabSize, endIds: this.endIds, bannedIds };
  }

  /** A decoder-only prompt; the empty text becomes the beginning token. */
  #begin(prompt: Text): ArrayLike<number> {
    const ids = encodeText(prompt, this.parts.tokenizer?.tokenizer);
    if (ids.length > 0) return ids;
    const begin = this.parts.tokenizer?.tokenizer.beginId ?? this.config.beginId;
    if (begin === undefined)
      throw new InvalidValueError("prompt", "at least one token: the model has no beginning token", "");
    return [begin];
  }
}

function encodeText(text: Text, tokenizer: Tokenizer | undefined): ArrayLike<number> {
  if (typeof text !== "string") return text;
  if (tokenizer === undefined) throw new InvalidValueError("prompt", "token ids: this model has no tokenizer", text);
  return tokenizer.encode(text);
}
