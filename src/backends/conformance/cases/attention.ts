/** Attention over block-structured caches, what is inside it, and writing the caches. */
import { type AttentionAttributes, type AttentionInputs, attention } from "../../../graph/operations/attention.js";
import { attentionWeights } from "../../../graph/operations/attention-weights.js";
import {
  type CacheCodec,
  type CacheCodecs,
  type CacheRole,
  cacheBlockWords,
  cacheBytes,
  cacheCodecOf,
  cacheCodecs,
  cachePartBytes,
  plainCache,
} from "../../../graph/operations/cache-codecs.js";
import { cacheWrite } from "../../../graph/operations/cache-write.js";
import type { Tensor } from "../../../graph/tensor.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";
import type { RandomNumbers } from "../random-numbers.js";
import { awkwardRows, over } from "../sizes.js";

export interface AttentionSize {
  readonly rows: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  /** Keys of the longest sequence. */
  readonly keys: number;
  readonly window?: number;
  readonly softCap?: number;
  /** Reach of the table of relative biases; none unless given. */
  readonly reach?: number;
  /** What the caches hold; float32 unless given. */
  readonly codecs?: CacheCodecs;
}

const blockSize = 16;
const sequenceCount = 3;

function attributesOf(size: AttentionSize): AttentionAttributes {
  const { headCount, keyValueHeadCount, headDim, window = 0, softCap = 0 } = size;
  const { keys: keyCodec, values: valueCodec } = size.codecs ?? plainCache;
  const heads = { headCount, keyValueHeadCount, headDim, blockSize, keyCodec, valueCodec };
  return { ...heads, scale: 1 / Math.sqrt(headDim), softCap, window };
}

/**
 * Builds the operands. `scattered` decides in which blocks of the caches the sequences lie: in order or shuffled among
 * blocks that belong to nobody. The numbers drawn are the same.
 */
function operands(fixture: Fixture, size: AttentionSize, scattered: boolean): AttentionInputs {
  const { random, rows } = fixture;
  const query = fixture.operand("query", size.headCount * size.headDim);
  const perSequence = Math.ceil(size.keys / blockSize);
  const contents = drawContents(fixture, size, perSequence * sequenceCount);
  const places = random.permutation(2 * perSequence * sequenceCount);
  const placeOf = (block: number) => (scattered ? places[block]! : block);
  const cache = (role: "key" | "value") =>
    fixture.state(role, [places.length, contents[role][0]!.length], lay(contents[role], placeOf, places.length));
  const table = Array.from({ length: perSequence * sequenceCount }, (_, block) => placeOf(block));
  const drawn = (below: number) => Array.from({ length: fixture.rows.capacity }, () => random.below(below));
  const visible = drawn(size.keys + 1).map((keys, i) => (i === 1 ? 0 : i === 2 ? size.keys : keys));
  return {
    query,
    keys: cache("key"),
    values: cache("value"),
    blockTables: fixture.integers("blockTables", [sequenceCount, perSequence], table),
    sequences: fixture.integers("sequences", [rows], drawn(sequenceCount)),
    visible: fixture.integers("visible", [rows], visible),
    ...(size.reach === undefined ? {} : { relative: relativeBias(fixture, size, size.reach, drawn(size.keys)) }),
  };
}

function relativeBias(fixture: Fixture, size: AttentionSize, reach: number, positions: number[]) {
  const bucketCount = Math.min(7, 2 * reach + 1);
  const buckets = Int32Array.from({ length: 2 * reach + 1 }, () => fixture.random.below(bucketCount));
  return {
    positions: fixture.integers("positions", [fixture.rows], positions),
    buckets: fixture.graph.constant("buckets", [buckets.length], buckets),
    bias: fixture.vector("bias", [bucketCount, size.headCount]),
  };
}

type Contents = Record<"key" | "value", Float32Array[]>;

function drawContents({ random }: Fixture, size: AttentionSize, blocks: number): Contents {
  const { keyValueHeadCount, headDim, codecs = plainCache } = size;
  const drawBlock = (role: CacheRole, codec: CacheCodec) => {
    const block = new Float32Array(cacheBlockWords(codec, keyValueHeadCount, headDim));
    for (let head = 0; head < keyValueHeadCount; head++) {
      const part = head * cachePartBytes(codec, headDim);
      for (let offset = 0; offset < blockSize; offset++) {
        const vector = new Float32Array(headDim).map(() => random.normal());
        cacheCodecOf[codec].write(cacheBytes(block), { part, role, headDim, offset }, vector);
      }
    }
    return block;
  };
  const draw = (role: CacheRole, codec: CacheCodec) => Array.from({ length: blocks }, () => drawBlock(role, codec));
  return { key: draw("key", codecs.keys), value: draw("value", codecs.values) };
}

/** Puts blocks in their places; the places between hold large numbers that nobody may see. */
function lay(blocks: readonly Float32Array[], placeOf: (block: number) => number, places: number): Float32Array {
  const memory = new Float32Array(places * blocks[0]!.length).fill(1e6);
  for (const [index, block] of blocks.entries()) memory.set(block, placeOf(index) * block.length);
  return memory;
}

function titleOf(size: AttentionSize): string {
  const { rows, headCount, keyValueHeadCount, headDim, keys, window, softCap, reach, codecs } = size;
  const held = codecs && `${codecs.keys} and ${codecs.values}`;
  const extras = [window && `window ${window}`, softCap && `cap ${softCap}`, reach && `relative within ${reach}`, held];
  const heads = `${headCount}/${keyValueHeadCount} heads of ${headDim}`;
  return [`${rows} rows, ${heads}, ${keys} keys`, ...extras.filter(Boolean)].join(", ");
}

export function attentionCase(size: AttentionSize): ConformanceCase {
  const build = (scattered: boolean) => (fixture: Fixture) =>
    attention(operands(fixture, size, scattered), attributesOf(size));
  const common = { operation: "attention", title: titleOf(size), rows: size.rows, tolerance: 4e-6, magnitude: 1 };
  return { large: size.keys >= 300, ...common, build: build(true), twin: build(false) };
}

export function attentionWeightsCase(stage: "scores" | "probabilities", size: AttentionSize): ConformanceCase {
  const keyCapacity = size.keys + 3;
  const build = (scattered: boolean) => (fixture: Fixture) =>
    attentionWeights(operands(fixture, size, scattered), { ...attributesOf(size), stage, keyCapacity });
  const title = `${stage}, ${titleOf(size)}`;
  const common = { operation: "attention-weights", title, rows: size.rows, tolerance: 4e-6, magnitude: 1 };
  return { ...common, build: build(true), twin: build(false) };
}

/** Numbers of all magnitudes, some beyond what halves can hold; those that stand together are mostly alike. */
function drawMagnitudes(random: RandomNumbers): () => number {
  let [drawn, magnitude] = [0, 1];
  return () => {
    if (drawn++ % 37 === 0) magnitude = random.below(7) === 0 ? 0 : 10 ** (3 * random.below(6) - 8);
    return random.normal() * magnitude;
  };
}

export interface CacheWriteSize {
  readonly rows: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly codec: CacheCodec;
}

export function cacheWriteCase(role: CacheRole, size: CacheWriteSize): ConformanceCase {
  const { rows, keyValueHeadCount, headDim, codec } = size;
  const attributes = { role, codec, keyValueHeadCount, headDim, blockSize };
  const build = (fixture: Fixture): Tensor => {
    const width = keyValueHeadCount * headDim;
    const blocks = Math.ceil(rows / blockSize) + 2;
    const slots = fixture.random.permutation(blocks * blockSize).slice(0, rows);
    const skipped = slots.map((slot, i) => (i % 4 === 3 ? -1 : slot));
    const { random } = fixture;
    const x = fixture.operand("x", width, drawMagnitudes(random));
    const cache = fixture.state("cache", [blocks, cacheBlockWords(codec, keyValueHeadCount, headDim)]);
    return cacheWrite(cache, x, fixture.integers("slots", [fixture.rows], skipped), attributes);
  };
  const title = `${role}, ${rows} rows, ${keyValueHeadCount} heads of ${headDim}, ${codec}`;
  return { operation: "cache-write", title, rows, tolerance: 0, bytes: true, build };
}

const one = { headCount: 2, keyValueHeadCount: 1, headDim: 8, keys: 37 };

/** What is asked of each codec: small heads and large ones, one row and many, whole blocks and not. */
const codecSizes: readonly AttentionSize[] = [
  ...over([1, 17], [4, 10, 33, 64], (rows, headDim) => ({ ...one, rows, headDim })),
  { ...one, rows: 5, headCount: 9, keyValueHeadCount: 9, headDim: 16, keys: 100 },
  { ...one, rows: 9, headCount: 6, keyValueHeadCount: 3, headDim: 48, keys: 200, window: 70 },
  { ...one, rows: 60, headCount: 4, keyValueHeadCount: 4, headDim: 64, keys: 330 },
];

const attentionSizes: readonly AttentionSize[] = [
  ...over(awkwardRows, [4, 6, 8, 10, 64], (rows, headDim) => ({ ...one, rows, headDim })),
  ...over([1, 15, 16, 17, 33, 100], [1, 2], (keys, rows) => ({ ...one, keys, rows: 3 * rows })),
  { ...one, rows: 5, headCount: 1 },
  { ...one, rows: 5, headCount: 8, keyValueHeadCount: 8 },
  { ...one, rows: 5, headCount: 9, keyValueHeadCount: 3, headDim: 64 },
  ...over([1, 5, 16, 40], [5, 17], (window, rows) => ({ ...one, rows, window })),
  { ...one, rows: 5, softCap: 2 },
  { ...one, rows: 5, softCap: 50, window: 20 },
  ...over([1, 4, 64], [1, 17], (reach, rows) => ({ ...one, rows, reach })),
  { ...one, rows: 5, headCount: 4, keyValueHeadCount: 2, softCap: 30, window: 9, reach: 12 },
  { ...one, rows: 20, headCount: 8, keyValueHeadCount: 2, headDim: 64, keys: 300 },
  { ...one, rows: 3, headCount: 2, keyValueHeadCount: 2, headDim: 128, keys: 530 },
  ...cacheCodecs.flatMap((codec) => codecSizes.map((size) => ({ ...size, codecs: { keys: codec, values: codec } }))),
  ...cacheCodecs.map((keys, i) => ({ ...one, rows: 5, codecs: { keys, values: cacheCodecs.at(i - 1)! } })),
];

export const attentionCases: readonly OperationCases[] = [
  { operation: "attention", cases: attentionSizes.map(attentionCase) },
  {
    operation: "attention-weights",
    cases: (["scores", "probabilities"] as const).flatMap((stage) =>
      attentionSizes.filter(({ keys }) => keys < 300).map((size) => attentionWeightsCase(stage, size)),
    ),
  },
  {
    operation: "cache-write",
    cases: (["key", "value"] as const).flatMap((role) =>
      cacheCodecs.flatMap((codec) =>
        over([...awkwardRows, 40], [4, 6, 8, 10, 33, 64], (rows, headDim) =>
          cacheWriteCase(role, { rows, keyValueHeadCount: 1 + (headDim % 3), headDim, codec }),
        ),
      ),
    ),
  },
];
