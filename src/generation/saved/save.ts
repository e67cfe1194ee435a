/** A session as bytes: what it is, and the blocks of the cache that hold it. */
import type { BlockTable } from "../../cache/block-table.js";
import { UnsupportedError } from "../../core/errors.js";
import { plainCache } from "../../graph/operations/cache-codecs.js";
import { clearUnfilled } from "../../models/cache-floats.js";
import type { CacheMemory } from "../../models/cache-memory.js";
import type { Network } from "../../models/network.js";
import type { ConstraintTimeline } from "../constrain/timeline.js";
import type { Engine } from "../engine.js";
import type { Sequence } from "../sequence.js";
import type { SessionState } from "../session-options.js";
import { type SavedHeader, writeSaved } from "./format.js";
import { plainOptions } from "./plain-options.js";

/** What has to be the same where blocks that were saved are used again. Native instruction sets give the same bits. */
export function layoutOf({ backend, config, cache, capacity: { codecs = plainCache } }: Network): string {
  const { name, instructionSet } = backend;
  const { attention, layers } = config.decoder;
  const computed = name === "native" ? name : `${name} ${instructionSet}`;
  const sizes = `${layers.length} layers of ${attention.keyValueHeadCount} heads of ${attention.headDim}`;
  return `${computed}, ${sizes}, keys ${codecs.keys}, values ${codecs.values}, ${cache.blockBytes} bytes in a block`;
}

/** @throws UnsupportedError for options that are functions, and a constraint that is not known by value */
export function saveSession(engine: Engine, { table, source, adapter }: Sequence, state: SessionState): Uint8Array {
  const { network, pool } = engine;
  const { ids, options, limits, next, discarded, promptLength, seed } = state;
  const { processors = [], constraint: _, adapter: __, ...others } = options;
  const logits = next?.length === ids.length ? next : undefined;
  const header: SavedHeader = {
    model: network.fingerprint,
    adapter: adapter?.fingerprint ?? null,
    layout: layoutOf(network),
    blockBytes: network.cache.blockBytes,
    crossBlockBytes: source === undefined ? 0 : network.crossCache.blockBytes,
    blockSize: pool.blockSize,
    tokens: ids.length,
    positions: table.length,
    exactLength: Number.isFinite(table.exactLength) ? table.exactLength : null,
    discarded,
    promptLength: promptLength ?? null,
    seed,
    limits: [...limits],
    options: plainOptions(others),
    processors: processors.map(({ name }) => name),
    constraint: constraintOf(state.constraint),
    logits: logits ? { count: logits.values.length, logSumExp: logits.logSumExp, likeliest: logits.likeliest } : null,
    source: source ? { tokens: source.length, width: source.output.length / source.length } : null,
  };
  return writeSaved({
    header,
    ids: Int32Array.from(ids),
    logits: logits?.values,
    sourceOutput: source?.output,
    sourceBlocks: source === undefined ? [] : contentsOf(network, network.crossCache, source.table),
    blocks: contentsOf(network, network.cache, table),
  });
}

function contentsOf(network: Network, memory: CacheMemory, { blocks, length, pool }: BlockTable): Uint8Array[] {
  return blocks.map((block, i) => {
    const bytes = memory.readBlock(block);
    clearUnfilled(network, bytes, length - i * pool.blockSize);
    return bytes;
  });
}

function constraintOf(timeline: ConstraintTimeline | undefined): SavedHeader["constraint"] {
  if (timeline === undefined) return null;
  const { constraint, from, atTextStart, isWhole } = timeline;
  if (constraint.source === undefined) {
    throw new UnsupportedError("saving a session with a constraint", "of unknown source", [
      "one that is given by value",
    ]);
  }
  if (!isWhole) {
    throw new UnsupportedError("saving a session", "whose constrained tokens a context shift discarded", ["others"]);
  }
  return { source: constraint.source, from, atTextStart };
}
