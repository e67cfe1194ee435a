/** From bytes to a session that goes on where another was saved. */
import type { BlockPool } from "../../cache/block-pool.js";
import { BlockTable } from "../../cache/block-table.js";
import { FormatError, HithertoError, InvalidValueError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { CacheMemory } from "../../models/cache-memory.js";
import type { Constraint } from "../constrain/constraint.js";
import { ConstraintTimeline } from "../constrain/timeline.js";
import type { TokenConstraint } from "../constrain/token-constraint.js";
import type { Engine } from "../engine.js";
import { guideOptionNames } from "../guides/options.js";
import type { LoadedAdapter } from "../loaded-adapter.js";
import { NextLogits } from "../next-logits.js";
import type { OwnProcessor } from "../sampling/stages.js";
import { EncodedSource, Sequence } from "../sequence.js";
import { Session } from "../session.js";
import { forkOptionNames, type SessionOptions, type SessionState } from "../session-options.js";
import { readSaved, type SavedFile, sessionFormat } from "./format.js";
import { readOptions } from "./plain-options.js";
import { layoutOf } from "./save.js";

export interface RestoreOptions {
  /** The session's own processors, which no file can hold: of the same names, in the same order. */
  readonly processors?: readonly OwnProcessor[];
  /**
   * Leave the saved cache aside and run the tokens again at the next need: for a file from another backend, or of a
   * model loaded with another kind of cache. Default false. Decoder-only models.
   */
  readonly recompute?: boolean;
  /** The adapter that the session had, loaded beside the model. */
  readonly adapter?: LoadedAdapter;
}

/** A session was saved by another model than the one that is to go on with it. */
export class OtherModelError extends HithertoError {
  readonly code = "OTHER_MODEL";

  constructor(
    readonly saved: string,
    readonly model: string,
    readonly part: "model" | "adapter" = "model",
  ) {
    super(`the session was saved with another ${part}: its fingerprint was ${saved}, here it is ${model}`);
  }
}

/** A session's cache was computed or is laid out otherwise than this model's. */
export class CacheLayoutError extends HithertoError {
  readonly code = "CACHE_LAYOUT";

  constructor(
    readonly saved: string,
    readonly model: string,
  ) {
    super(
      `the session's cache is another than this model's: ${saved}; here ${model}; ` +
        "restore it with `recompute: true` to run its tokens again",
    );
  }
}

/** What a model has that sessions need. */
export interface SessionModel extends Pick<Session, "engine" | "tokenizer"> {
  constraint(constraint: Constraint): TokenConstraint;
}

/**
 * @throws OtherModelError, CacheLayoutError, FormatError, TruncatedFileError, UnsupportedError, InvalidValueError where
 *   processors are missing, CacheFullError, ContextFullError; nothing is held then
 */
export async function restoreSession(
  model: SessionModel,
  bytes: Uint8Array,
  options: RestoreOptions = {},
): Promise<Session> {
  rejectUnknownOptions(options, ["processors", "recompute", "adapter"]);
  const { engine } = model;
  const file = readSaved(bytes);
  const { network } = engine;
  if (file.header.model !== network.fingerprint) throw new OtherModelError(file.header.model, network.fingerprint);
  const { adapter } = options;
  const [saved, given] = [file.header.adapter ?? "no adapter", adapter?.fingerprint ?? "no adapter"];
  if (saved !== given) throw new OtherModelError(saved, given, "adapter");
  const recompute = options.recompute === true && file.header.source === null;
  if (!recompute && file.header.layout !== layoutOf(network)) {
    throw new CacheLayoutError(file.header.layout, layoutOf(network));
  }
  const state = makingSense(() => stateOf(model, file, recompute, options.processors ?? []));
  const sequence = await engine.between(() => sequenceOf(engine, file, recompute));
  sequence.adapter = adapter;
  try {
    return makingSense(() => Session.resume(model, sequence, state));
  } catch (error) {
    sequence.dispose();
    throw error;
  }
}

/** Options from a file may be anything; what makes no sense of them is the file's fault. */
function makingSense<T>(task: () => T): T {
  try {
    return task();
  } catch (error) {
    if (error instanceof HithertoError) throw error;
    fail("options", `make no sense: ${error instanceof Error ? error.message : error}`);
  }
}

function stateOf(
  model: SessionModel,
  { header, ids, logits }: SavedFile,
  recompute: boolean,
  processors: readonly OwnProcessor[],
): SessionState {
  const { vocabSize } = model.engine.network.config;
  const wrong = ids.findIndex((id) => !(id >= 0 && id < vocabSize));
  if (wrong >= 0) fail("tokens", `id ${ids[wrong]} is not in the vocabulary of ${vocabSize}`);
  const names = processors.map(({ name }) => name).join(", ");
  if (names !== header.processors.join(", ")) {
    throw new InvalidValueError("processors", `those that the session had: ${header.processors.join(", ")}`, names);
  }
  const plain = readOptions(header.options);
  if (plain === null || typeof plain !== "object" || Array.isArray(plain)) fail("options", "must be an object");
  rejectUnknownOptions(plain, [...forkOptionNames, ...guideOptionNames, "cache"]);
  const { promptLength, discarded, seed, limits } = header;
  const options: SessionOptions = { ...plain, ...(processors.length > 0 && { processors }) };
  return {
    ids: Array.from(ids),
    options,
    seed,
    discarded,
    promptLength: promptLength === null ? undefined : Math.min(promptLength, ids.length),
    limits: new Map(limits),
    constraint: constraintOf(model, header, ids),
    next: recompute ? undefined : nextOf(header, logits, ids.length, vocabSize),
  };
}

function nextOf(
  { logits: about }: SavedFile["header"],
  logits: Float32Array | undefined,
  length: number,
  vocabSize: number,
): NextLogits | undefined {
  if (about === null || logits === undefined) return undefined;
  if (logits.length !== vocabSize || about.likeliest >= vocabSize) {
    fail("logits", `there are ${logits.length} of them, for a vocabulary of ${vocabSize}`);
  }
  const next = new NextLogits(vocabSize);
  next.set({ logits, logSumExp: about.logSumExp, likeliest: about.likeliest }, length);
  return next;
}

function constraintOf(
  model: SessionModel,
  { constraint }: SavedFile["header"],
  ids: Int32Array,
): ConstraintTimeline | undefined {
  if (constraint === null) return undefined;
  const { source, from, atTextStart } = constraint;
  if (from > ids.length) fail("constraint.from", `is behind the last of ${ids.length} tokens`);
  if (source === null || typeof source !== "object") fail("constraint.source", "must be an object");
  const timeline = new ConstraintTimeline(model.constraint(source as Constraint), from, atTextStart);
  for (const id of ids.subarray(from)) timeline.push(id);
  return timeline;
}

function sequenceOf({ network, pool, crossPool }: Engine, file: SavedFile, recompute: boolean): Sequence {
  const { header, ids, blocks, sourceBlocks, sourceOutput } = file;
  const { contextLength } = network.capacity;
  if (recompute) return Sequence.empty(pool, contextLength);
  if ((header.source === null) !== (crossPool === undefined)) fail("source", "does not fit the kind of model");
  if (header.positions > ids.length) fail("positions", `${header.positions} are more than the ${ids.length} tokens`);
  if (header.blockSize !== pool.blockSize) fail("blockSize", `must be ${pool.blockSize}`);
  const table = filled(pool, network.cache, contextLength, header.positions, blocks);
  if (header.exactLength !== null) table.exactLength = header.exactLength;
  try {
    if (header.source === null) return new Sequence(table);
    const { tokens, width } = header.source;
    if (width !== network.config.decoder.hiddenSize) fail("source.width", `${width} is not the model's hidden size`);
    const sourceTable = filled(crossPool!, network.crossCache, contextLength, tokens, sourceBlocks);
    return new Sequence(table, new EncodedSource(sourceTable, sourceOutput!));
  } catch (error) {
    table.dispose();
    throw error;
  }
}

/** A table of new blocks with these contents. */
function filled(
  pool: BlockPool,
  memory: CacheMemory,
  contextLength: number,
  positions: number,
  contents: readonly Uint8Array[],
): BlockTable {
  const table = new BlockTable(pool, contextLength);
  try {
    table.reserve(positions);
    for (const [i, bytes] of contents.entries()) memory.writeBlock(table.blocks[i]!, bytes);
    return table;
  } catch (error) {
    table.dispose();
    throw error;
  }
}

function fail(field: string, problem: string): never {
  throw new FormatError(sessionFormat, field, problem);
}
