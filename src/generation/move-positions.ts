/**
 * Moves positions of a sequence down in its cache, past some that are discarded, and turns their keys to where they
 * now stand: rotation by θ(p − d) = rotation by −θd after rotation by θp. Su et al., 2021 (arXiv:2104.09864).
 */
import type { BlockTable } from "../cache/block-table.js";
import { checkHoldsFloats, type LayerBlock, layerBlocks } from "../models/cache-floats.js";
import type { Network } from "../models/network.js";
import { cacheBlockSize } from "../nn/attention-layer.js";
import type { AttentionConfig, PositionConfig } from "../nn/config.js";

/**
 * Takes the positions from `keep` to `keep + discard` out of a sequence, as far as it has them. Blocks that others read
 * are copied first; when there is no room for that, nothing has changed.
 * @throws CacheFullError, UnsupportedError for a cache in another storage type than float32
 */
export function discardPositions(network: Network, table: BlockTable, keep: number, discard: number): void {
  const { length } = table;
  if (length <= keep + discard) {
    table.truncate(Math.min(length, keep));
    return;
  }
  checkHoldsFloats(network);
  const end = length - discard;
  table.own(Math.floor(keep / cacheBlockSize), Math.ceil(end / cacheBlockSize));
  const { layers, attention, position } = network.config.decoder;
  for (const [layer, { rotary }] of layers.entries()) {
    const turn = turnBack(position, attention, rotary, discard);
    const blocks = layerBlocks(network, layer, table.blocks);
    for (let to = keep; to < end; to++) {
      moveKey(blocks, attention, to + discard, to, turn);
      moveValue(blocks, attention, to + discard, to);
    }
  }
  table.truncate(end);
  table.exactLength = Math.min(table.exactLength, keep);
}

/** Which elements of a head turn together, and by what. */
interface Turn {
  /** [pairs]: the elements of each pair. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly cosines: Float64Array;
  readonly sines: Float64Array;
}

/** The turn by −`distance` positions; of no pairs where keys do not turn. */
function turnBack(position: PositionConfig, { headDim }: AttentionConfig, table: number, distance: number): Turn {
  const frequencies = position.kind === "rotary" ? position.tables[table]!.frequencies : new Float32Array(0);
  const half = frequencies.length;
  const pairs = position.kind === "rotary" && position.layout === "interleaved" ? [2, 1] : [1, half];
  const angles = Float64Array.from(frequencies, (frequency) => -distance * frequency);
  const first = Int32Array.from({ length: Math.min(half, headDim) }, (_, i) => i * pairs[0]!);
  const second = first.map((element) => element + pairs[1]!);
  return { first, second, cosines: angles.map(Math.cos), sines: angles.map(Math.sin) };
}

/** Keys lie [keyValueHeadCount, headDim, block size]. */
function moveKey(blocks: LayerBlock[], attention: AttentionConfig, from: number, to: number, turn: Turn): void {
  const { keyValueHeadCount, headDim } = attention;
  const source = blocks[Math.floor(from / cacheBlockSize)]!.keys;
  const target = blocks[Math.floor(to / cacheBlockSize)]!.keys;
  const [sourceOffset, targetOffset] = [from % cacheBlockSize, to % cacheBlockSize];
  for (let head = 0; head < keyValueHeadCount; head++) {
    const base = head * headDim * cacheBlockSize;
    for (let i = 0; i < headDim; i++) {
      target[base + i * cacheBlockSize + targetOffset] = source[base + i * cacheBlockSize + sourceOffset]!;
    }
    for (let pair = 0; pair < turn.first.length; pair++) {
      const a = base + turn.first[pair]! * cacheBlockSize + targetOffset;
      const b = base + turn.second[pair]! * cacheBlockSize + targetOffset;
      const [x, y, cosine, sine] = [target[a]!, target[b]!, turn.cosines[pair]!, turn.sines[pair]!];
      target[a] = x * cosine - y * sine;
      target[b] = y * cosine + x * sine;
    }
  }
}

/** Values lie [keyValueHeadCount, block size, headDim]. */
function moveValue(blocks: LayerBlock[], attention: AttentionConfig, from: number, to: number): void {
  const { keyValueHeadCount, headDim } = attention;
  const source = blocks[Math.floor(from / cacheBlockSize)]!.values;
  const target = blocks[Math.floor(to / cacheBlockSize)]!.values;
  for (let head = 0; head < keyValueHeadCount; head++) {
    const base = head * cacheBlockSize * headDim;
    const start = base + (from % cacheBlockSize) * headDim;
    target.set(source.subarray(start, start + headDim), base + (to % cacheBlockSize) * headDim);
  }
}
