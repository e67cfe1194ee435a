/**
 * Feeds tokens of one or many sequences through the decoder and hands out logits.
 *
 * A run takes as many tokens as the program has room for, whoever they belong to: a long prompt goes in several runs,
 * many short requests share one. Neither changes a bit of anybody's logits.
 */
import type { Backend } from "../backends/backend.js";
import { BlockPool } from "../cache/block-pool.js";
import { BlockTable, ContextFullError } from "../cache/block-table.js";
import { PrefixTree } from "../cache/prefix-tree.js";
import { Breather } from "../core/breathe.js";
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import type { DecoderProgram, Network } from "../models/network.js";
import { cacheBlockSize } from "../nn/attention-layer.js";
import type { LoadedAdapter } from "./loaded-adapter.js";
import { Lock } from "./lock.js";
import { type OutputRow, type Part, Run } from "./run.js";
import { EncodedSource, Sequence } from "./sequence.js";
import { TokenRun } from "./token-run.js";

export interface AdvanceOptions {
  readonly signal?: AbortSignal;
  /** Called for every row of logits, in order. */
  readonly onOutput?: (row: OutputRow) => void;
  /** Called after every run with the tokens done so far. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Called after every run for which results were kept; `tokens` rows of them are live. */
  readonly onRun?: (program: DecoderProgram, tokens: number) => void;
  /** Another program than the one that generates: an inspection of the same network, or what gives it at its turn. */
  readonly program?: DecoderProgram | (() => DecoderProgram);
}

/** How a session shares what is run of it. */
export interface PrefixSharing {
  /** Whether it begins with what others have run of the same tokens, and leaves what it runs to others. Default true. */
  readonly share?: boolean;
  /** Only sessions of the same salt share. Default: an empty one. */
  readonly salt?: string;
}

/** A backend does one run at a time, whichever of the models on it asks. */
const locks = new WeakMap<Backend, Lock>();

function lockOf(backend: Backend): Lock {
  const lock = locks.get(backend) ?? new Lock();
  locks.set(backend, lock);
  return lock;
}

/** A run that moves more bytes of weights than this leaves the event loop; a smaller one is over before it would pay. */
const offLoopBytes = 64 * 2 ** 20;

export class Engine {
  readonly pool: BlockPool;
  /** What was run before, for sequences that begin alike; absent where none is kept. */
  readonly prefixes: PrefixTree | undefined;
  /** Blocks of encoded sources, of an encoder-decoder model. */
  readonly crossPool: BlockPool | undefined;
  readonly #lock: Lock;
  /** The last that was used, and all. */
  #tokenRun: TokenRun | undefined;
  readonly #adapters = new WeakMap<LoadedAdapter, number>();
  #adapterCount = 0;
  readonly #tokenRuns = new WeakMap<DecoderProgram, TokenRun>();

  /** @param prefixBytes - of the cache, to hold what was run before for sequences that begin alike; 0: none */
  constructor(
    readonly network: Network,
    prefixBytes = 0,
  ) {
    const { capacity } = network;
    this.#lock = lockOf(network.backend);
    this.pool = new BlockPool(capacity.blocks, cacheBlockSize, (from, to) => network.cache.copyBlock(from, to));
    const { blockBytes } = network.cache;
    const prefixBlocks = Math.min(Math.floor(prefixBytes / blockBytes), capacity.blocks);
    if (prefixBlocks > 0) this.prefixes = new PrefixTree(this.pool, prefixBlocks, blockBytes);
    if (network.config.kind === "encoder-decoder") {
      // Sources are never written after encoding, so their blocks are never copied.
      this.crossPool = new BlockPool(capacity.crossBlocks, cacheBlockSize, () => {});
    }
  }

  /** An empty sequence; for an encoder-decoder model, one that attends to `source`. */
  async sequence(source?: ArrayLike<number>): Promise<Sequence> {
    const { contextLength } = this.network.capacity;
    if (this.crossPool === undefined) {
      if (source !== undefined) throw new InvalidValueError("source", "absent for a decoder-only model", "a source");
      return Sequence.empty(this.pool, contextLength);
    }
    if (source === undefined) throw new InvalidValueError("source", "given for an encoder-decoder model", undefined);
    return Sequence.empty(this.pool, contextLength, await this.#encode(source, this.crossPool));
  }

  /**
   * Adds each part's tokens to its sequence.
   * When this throws, every sequence holds just the tokens of the runs that were finished.
   * @throws OutOfRangeError for an id outside the vocabulary, ContextFullError, CacheFullError
   */
  async advance(parts: readonly Part[], options: AdvanceOptions = {}): Promise<void> {
    for (const part of parts) checkIds(part.ids, this.network.config.vocabSize);
    await this.#lock.run(() => this.#runAll(parts, options));
  }

  /**
   * Adds one token to a sequence, at once: what `advance` does, where nothing has to be waited for.
   * @returns logits after the token, valid until the next run; undefined, with nothing done, where others run or wait
   *   for their turn, or where the run is so long that it is to leave the event loop
   * @throws OutOfRangeError for an id outside the vocabulary, ContextFullError, CacheFullError
   */
  advanceNow(sequence: Sequence, id: number): TokenRun | undefined {
    if (!this.#lock.isFree || this.#leavesLoop(1)) return undefined;
    const { vocabSize } = this.network.config;
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) throw idOutOfRange(0, vocabSize, id);
    const program = sequence.adapter?.program ?? this.network.decoder;
    if (this.#tokenRun?.program !== program) this.#tokenRun = this.#tokenRunOf(program);
    this.#tokenRun.execute(sequence, id);
    return this.#tokenRun;
  }

  #tokenRunOf(program: DecoderProgram): TokenRun {
    const run = this.#tokenRuns.get(program) ?? new TokenRun(program, this.network);
    this.#tokenRuns.set(program, run);
    return run;
  }

  /** Waits until nothing runs any more. */
  idle(): Promise<void> {
    return this.between(() => {});
  }

  /** Does something when nothing runs: what reads or writes the cache from outside. */
  between<T>(task: () => T): Promise<T> {
    return this.#lock.run(async () => task());
  }

  /** Goes on with a sequence as far as others have run the same tokens; the last of them stays to be run. */
  adopt(sequence: Sequence, ids: ArrayLike<number>, { share = true, salt }: PrefixSharing = {}): void {
    const { table } = sequence;
    const { blockSize } = this.pool;
    const isApart = sequence.source !== undefined || table.length % blockSize !== 0 || table.length > table.exactLength;
    if (!share || isApart || ids.length - 1 < table.length + blockSize) return;
    const limit = Math.min(ids.length - 1, table.contextLength);
    this.prefixes?.adopt(table, ids, limit, this.#saltOf(sequence, salt));
  }

  /** Leaves what was run of a sequence to others that begin with the same tokens. */
  remember(sequence: Sequence, ids: ArrayLike<number>, { share = true, salt }: PrefixSharing = {}): void {
    if (!share || sequence.source !== undefined) return;
    this.prefixes?.remember(sequence.table, ids, this.#saltOf(sequence, salt));
  }

  /** Sessions with other adapters hold other keys and values for the same tokens. */
  #saltOf({ adapter }: Sequence, salt = ""): string {
    if (adapter === undefined) return salt;
    const number = this.#adapters.get(adapter) ?? ++this.#adapterCount;
    this.#adapters.set(adapter, number);
    return `${number}\0${salt}`;
  }

  async #runAll(parts: readonly Part[], options: AdvanceOptions): Promise<void> {
    this.#checkRoom(parts);
    const total = parts.reduce((sum, part) => sum + part.ids.length, 0);
    const own = typeof options.program === "function" ? options.program() : options.program;
    let run = new Run(own ?? this.network.decoder, this.network);
    const breather = new Breather();
    let done = 0;
    const finish = async (): Promise<void> => {
      if (run.tokens === 0) return;
      options.signal?.throwIfAborted();
      await run.execute(this.#leavesLoop(run.tokens));
      done += run.tokens;
      options.onRun?.(run.program, run.tokens);
      if (options.onOutput !== undefined) run.deliver(options.onOutput);
      options.onProgress?.(done, total);
      run.clear();
      if (done < total) await breather.breathe();
    };
    try {
      for (const [index, part] of parts.entries()) {
        const program = own ?? part.sequence.adapter?.program ?? this.network.decoder;
        if (program !== run.program) {
          await finish();
          run = new Run(program, this.network);
        }
        for (let next = 0; next < part.ids.length; ) {
          next = run.add(index, part, next);
          if (next < part.ids.length || run.isFull) await finish();
        }
      }
      await finish();
    } finally {
      run.undo();
    }
  }

  /** What cannot fit is refused whole, before the part of it that would fit is computed. */
  #checkRoom(parts: readonly Part[]): void {
    const { contextLength } = this.network.capacity;
    for (const { sequence, ids } of parts) {
      const needed = sequence.length + ids.length;
      if (needed > contextLength) throw new ContextFullError(contextLength, needed);
    }
  }

  #leavesLoop(tokens: number): boolean {
    // Arithmetic, not weight bytes, bounds a long run; four tokens' worth is about one pass over the weights.
    return this.network.weightBytes * Math.max(1, tokens / 4) > offLoopBytes;
  }

  async #encode(source: ArrayLike<number>, pool: BlockPool): Promise<EncodedSource> {
    const { config, capacity } = this.network;
    const vocabSize = config.kind === "encoder-decoder" ? config.sourceVocabSize : 0;
    checkIds(source, vocabSize);
    return this.#lock.run(async () => {
      const table = new BlockTable(pool, capacity.contextLength);
      try {
        table.reserve(source.length);
        const output = await this.network.encode(source, table.blocks, this.#leavesLoop(source.length));
        return new EncodedSource(table, output.slice());
      } catch (error) {
        table.dispose();
        throw error;
      }
    });
  }
}

/** @throws OutOfRangeError naming the first id that is outside the vocabulary. */
function checkIds(ids: ArrayLike<number>, vocabSize: number): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) throw idOutOfRange(i, vocabSize, id);
  }
}

function idOutOfRange(index: number, vocabSize: number, id: number): OutOfRangeError {
  return new OutOfRangeError(`token id at index ${index}`, `a whole number from 0 to ${vocabSize - 1}`, id);
}
