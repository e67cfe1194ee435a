/** Attention among the rows of a run, and its gradient. */

import type { Products } from "../../../graph/operation.js";
import { sequenceAttentionGradient } from "../../../graph/operations/gradients/sequence-attention-gradient.js";
import {
  type SequenceAttentionAttributes,
  type SequenceAttentionInputs,
  sequenceAttention,
  sequenceOperands,
} from "../../../graph/operations/sequence-attention.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";
import { awkwardRows, over } from "../sizes.js";

export interface SequenceAttentionSize {
  readonly rows: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  /**
   * What rows see. `causal`: documents of about `span` rows, each up to the row itself; `both`: each its whole document;
   * `cross`: rows of another tensor of `keys` rows, in stretches.
   */
  readonly sees: "causal" | "both" | "cross";
  readonly span: number;
  readonly keys?: number;
  readonly window?: number;
  readonly softCap?: number;
  /** Reach of the table of relative biases; none unless given. */
  readonly reach?: number;
  readonly products?: Products;
}

function attributesOf(size: SequenceAttentionSize): SequenceAttentionAttributes {
  const { headCount, keyValueHeadCount, headDim, window = 0, softCap = 0 } = size;
  return { headCount, keyValueHeadCount, headDim, scale: 1 / Math.sqrt(headDim), softCap, window };
}

/** Where each row's document starts and ends, documents of `span` rows and the last of what is left. */
function stretches(rows: number, span: number): { start: number; end: number }[] {
  return Array.from({ length: rows }, (_, row) => {
    const start = row - (row % span);
    return { start, end: Math.min(rows, start + span) };
  });
}

function operands(fixture: Fixture, size: SequenceAttentionSize): SequenceAttentionInputs {
  const { random, rows } = fixture;
  const count = rows.capacity;
  const keyRows = size.sees === "cross" ? (size.keys ?? 7) : count;
  const keys = fixture.dimension("keys", keyRows);
  const width = size.keyValueHeadCount * size.headDim;
  const documents = stretches(count, size.span);
  const crossed = documents.map(() => {
    const start = random.below(keyRows);
    return { start, end: Math.min(keyRows, start + size.span) };
  });
  const seen = size.sees === "cross" ? crossed : documents;
  const end = seen.map((each, row) => (size.sees === "causal" ? row + 1 : each.end));
  // A row of padding sees nothing.
  if (count > 2) end[2] = seen[2]!.start;
  return {
    query: fixture.operand("query", size.headCount * size.headDim),
    key: fixture.tensor("key", [keys, width]),
    value: fixture.tensor("value", [keys, width]),
    first: fixture.integers(
      "first",
      [rows],
      seen.map(({ start }) => start),
    ),
    end: fixture.integers("end", [rows], end),
    ...(size.reach === undefined ? {} : { relative: relativeBias(fixture, size, size.reach, documents) }),
  };
}

function relativeBias(fixture: Fixture, size: SequenceAttentionSize, reach: number, documents: { start: number }[]) {
  const bucketCount = Math.min(7, 2 * reach + 1);
  const buckets = Int32Array.from({ length: 2 * reach + 1 }, () => fixture.random.below(bucketCount));
  const positions = documents.map(({ start }, row) => row - start);
  return {
    positions: fixture.integers("positions", [fixture.rows], positions),
    buckets: fixture.graph.constant("buckets", [buckets.length], buckets),
    bias: fixture.vector("bias", [bucketCount, size.headCount]),
  };
}

function titleOf(size: SequenceAttentionSize): string {
  const { rows, headCount, keyValueHeadCount, headDim, sees, span, window, softCap, reach, products } = size;
  const extras = [
    window && `window ${window}`,
    softCap && `cap ${softCap}`,
    reach && `relative within ${reach}`,
    products,
  ];
  const heads = `${headCount}/${keyValueHeadCount} heads of ${headDim}`;
  return [`${rows} rows, ${heads}, ${sees}, ${span} at most`, ...extras.filter(Boolean)].join(", ");
}

/** Rounded probabilities and what is made of them are off by 2⁻⁹ each: the definition rounds nothing. */
function roundingOf({ products }: SequenceAttentionSize, tolerance: number) {
  return products === "bf16" ? { products, ownBits: true, tolerance: 0.03 } : { tolerance };
}

function about(size: SequenceAttentionSize, tolerance: number) {
  const large = size.rows * size.span * size.headDim > 1e5;
  return { title: titleOf(size), rows: size.rows, large, ...roundingOf(size, tolerance) };
}

export function sequenceAttentionCase(size: SequenceAttentionSize): ConformanceCase {
  return {
    operation: "sequence-attention",
    // Rows are keys too: only queries can be asked for in several runs, the keys given whole.
    ...about(size, 4e-6),
    magnitude: 1,
    build: (fixture) => sequenceAttention(operands(fixture, size), attributesOf(size)),
  };
}

export function sequenceAttentionGradientCase(size: SequenceAttentionSize): ConformanceCase {
  const summed = Math.sqrt(Math.max(1, Math.min(size.span, size.rows)));
  return {
    operation: "sequence-attention-gradient",
    ...about(size, 1e-5),
    magnitude: [1, summed, summed, Math.sqrt(Math.max(1, size.rows))],
    build: (fixture) => {
      const attributes = attributesOf(size);
      const inputs = sequenceOperands(operands(fixture, size), attributes);
      const dy = fixture.operand("dy", size.headCount * size.headDim);
      return sequenceAttentionGradient(inputs, dy, attributes);
    },
  };
}

const one = { headCount: 2, keyValueHeadCount: 1, headDim: 8, sees: "causal", span: 40 } as const;
const rounded = { ...one, products: "bf16" } as const;

const sizes: readonly SequenceAttentionSize[] = [
  ...over([...awkwardRows, 33, 70], [4, 6, 10, 16, 64], (rows, headDim) => ({ ...one, rows, headDim })),
  ...over(["causal", "both", "cross"] as const, [1, 5, 16, 19], (sees, span) => ({ ...one, rows: 40, sees, span })),
  { ...one, rows: 33, headCount: 1 },
  { ...one, rows: 33, headCount: 8, keyValueHeadCount: 8 },
  { ...one, rows: 33, headCount: 9, keyValueHeadCount: 3, headDim: 64 },
  ...over([1, 5, 16, 30], [7, 40], (window, rows) => ({ ...one, rows, window })),
  { ...one, rows: 40, softCap: 2 },
  { ...one, rows: 40, softCap: 50, window: 20 },
  ...over([1, 4, 64], ["causal", "both"] as const, (reach, sees) => ({ ...one, rows: 40, sees, reach })),
  { ...one, rows: 40, headCount: 4, keyValueHeadCount: 2, softCap: 30, window: 9, reach: 12 },
  { ...one, rows: 300, headCount: 6, keyValueHeadCount: 6, headDim: 64, span: 256 },
  { ...one, rows: 150, sees: "cross", keys: 200, span: 90 },
  ...over(["causal", "both", "cross"] as const, [1, 19, 40], (sees, span) => ({ ...rounded, rows: 40, sees, span })),
  ...over([1, 31, 32, 33, 150], [4, 10, 48, 64, 130], (rows, headDim) => ({ ...rounded, rows, headDim })),
  { ...rounded, rows: 40, headCount: 6, keyValueHeadCount: 2, headDim: 32, window: 9, softCap: 30, reach: 12 },
  { ...rounded, rows: 300, headCount: 6, keyValueHeadCount: 6, headDim: 64, span: 256 },
];

export const sequenceAttentionCases: readonly OperationCases[] = [
  { operation: "sequence-attention", cases: sizes.map(sequenceAttentionCase) },
  { operation: "sequence-attention-gradient", cases: sizes.map(sequenceAttentionGradientCase) },
];
