/** Cases of the operations of training, drawn by fast-check. */
import fc from "fast-check";
import { activationKinds } from "../../graph/operations/activation.js";
import {
  activationGradientCase,
  columnSumsCase,
  dropoutCase,
  embeddingGradientCase,
  gatedActivationGradientCase,
  layerNormGradientCase,
  logSumExpGradientCase,
  rmsNormGradientCase,
  rowSquaresCase,
  scatterRowsCase,
  softCapGradientCase,
} from "./cases/gradients.js";
import { crossEntropyCase, crossEntropyGradientCase } from "./cases/losses.js";
import { matmulCase } from "./cases/products.js";
import {
  type SequenceAttentionSize,
  sequenceAttentionCase,
  sequenceAttentionGradientCase,
} from "./cases/sequence-attention.js";
import { accumulateCase, contributions, type Update, updateCase, updateKinds } from "./cases/updates.js";
import type { ConformanceCase } from "./fixture.js";

const rows = fc.integer({ min: 0, max: 150 });
const size = fc.record({ rows, width: fc.integer({ min: 1, max: 200 }) });
const kind = fc.constantFrom(...activationKinds);
const transposed = fc.constantFrom("none" as const, "left" as const, "right" as const);
const products = fc.constantFrom("f32" as const, "bf16" as const);
const shape = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 300 })),
  fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 })),
);

const attentionSize: fc.Arbitrary<SequenceAttentionSize> = fc
  .record({
    rows: fc.integer({ min: 0, max: 70 }),
    keyValueHeadCount: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 3 }),
    headDim: fc.integer({ min: 1, max: 20 }).map((half) => 2 * half),
    sees: fc.constantFrom("causal" as const, "both" as const, "cross" as const),
    span: fc.integer({ min: 1, max: 70 }),
    keys: fc.integer({ min: 1, max: 60 }),
    window: fc.option(fc.integer({ min: 1, max: 80 }), { nil: undefined }),
    softCap: fc.option(fc.constantFrom(1, 30), { nil: undefined }),
    reach: fc.option(fc.integer({ min: 1, max: 80 }), { nil: undefined }),
    products,
  })
  .map(({ groups, ...rest }) => ({ ...rest, headCount: groups * rest.keyValueHeadCount }));

const loss = fc
  .tuple(size, fc.constantFrom(0, 0.1, 0.3), fc.constantFrom(0, 1e-4, 0.1))
  .map(([s, labelSmoothing, zLoss]) => ({ ...s, labelSmoothing, zLoss }));

const accumulation = fc
  .tuple(fc.constantFrom(...contributions), rows, fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 80 }))
  .map(([from, n, out, width]) => accumulateCase(from, n, from === "column-sums" ? [width] : [out, width]));

function randomUpdate(operation: Update): fc.Arbitrary<ConformanceCase> {
  const decay = fc.constantFrom(0 as const, 1 as const);
  return fc.tuple(decay, fc.boolean(), shape).map(([d, nesterov, s]) => updateCase(operation, d, nesterov, s));
}

/** For each operation of training, a way to draw a case. */
export const randomTrainingCases: Readonly<Record<string, fc.Arbitrary<ConformanceCase>>> = {
  accumulate: accumulation,
  "activation-gradient": fc.tuple(kind, size).map(([k, s]) => activationGradientCase(k, s)),
  "column-sums": size.map(columnSumsCase),
  "cross-entropy": loss.map(crossEntropyCase),
  "cross-entropy-gradient": loss.map(crossEntropyGradientCase),
  dropout: fc.tuple(fc.double({ min: 0, max: 0.9, noNaN: true }), size).map(([rate, s]) => dropoutCase(rate, s)),
  "embedding-gradient": fc
    .tuple(size, fc.integer({ min: 1, max: 90 }))
    .map(([s, tableRows]) => embeddingGradientCase({ ...s, tableRows })),
  "gated-activation-gradient": fc.tuple(kind, size).map(([k, s]) => gatedActivationGradientCase(k, s)),
  "layer-norm-gradient": fc.tuple(fc.boolean(), size).map(([bias, s]) => layerNormGradientCase(bias, s)),
  "log-sum-exp-gradient": size.map(logSumExpGradientCase),
  matmul: fc
    .tuple(transposed, size, fc.integer({ min: 1, max: 90 }), products)
    .map(([t, s, out, p]) => matmulCase(t, { ...s, out, products: p })),
  "rms-norm-gradient": fc
    .tuple(fc.integer({ min: 1, max: 5 }), size)
    .map(([groups, s]) => rmsNormGradientCase(groups, s)),
  "row-squares": fc.tuple(fc.boolean(), size).map(([vector, s]) => rowSquaresCase(vector, s)),
  "scatter-rows": fc.tuple(fc.integer({ min: 1, max: 90 }), size).map(([extent, s]) => scatterRowsCase(extent, s)),
  "sequence-attention": attentionSize.map(sequenceAttentionCase),
  "sequence-attention-gradient": attentionSize.map(sequenceAttentionGradientCase),
  "soft-cap-gradient": fc.tuple(fc.integer({ min: 1, max: 60 }), size).map(([cap, s]) => softCapGradientCase(cap, s)),
  ...Object.fromEntries(updateKinds.map((each) => [each, randomUpdate(each)])),
};
