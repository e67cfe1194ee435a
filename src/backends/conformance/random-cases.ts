/** Cases drawn by fast-check: shapes that nobody thought of. */
import fc from "fast-check";
import { activationKinds } from "../../graph/operations/activation.js";
import { cacheCodecs } from "../../graph/operations/cache-codecs.js";
import { type AttentionSize, attentionCase, attentionWeightsCase, cacheWriteCase } from "./cases/attention.js";
import { activationCase, addCase, gatedActivationCase, scaleCase, softCapCase } from "./cases/elementwise.js";
import { linearCase } from "./cases/linear.js";
import { argmaxCase, layerNormCase, logSumExpCase, rmsNormCase } from "./cases/norms.js";
import { plainLinearCase } from "./cases/products.js";
import { embeddingCase, rotaryCase, selectRowsCase } from "./cases/rows.js";
import type { ConformanceCase } from "./fixture.js";
import { randomTrainingCases } from "./random-training-cases.js";
import { blockOf, type KnownStorage } from "./stored-values.js";

const rows = fc.integer({ min: 0, max: 40 });
const size = fc.record({ rows, width: fc.integer({ min: 1, max: 300 }) });
const kind = fc.constantFrom(...activationKinds);
const role = fc.constantFrom("key" as const, "value" as const);
const layout = fc.constantFrom("half" as const, "interleaved" as const);
const headDim = fc.integer({ min: 1, max: 40 }).map((half) => 2 * half);

const codec = fc.constantFrom(...cacheCodecs);

const attentionSize: fc.Arbitrary<AttentionSize> = fc
  .record({
    rows: fc.integer({ min: 0, max: 12 }),
    keyValueHeadCount: fc.integer({ min: 1, max: 3 }),
    groups: fc.integer({ min: 1, max: 4 }),
    headDim,
    keys: fc.integer({ min: 1, max: 120 }),
    window: fc.option(fc.integer({ min: 1, max: 130 }), { nil: undefined }),
    softCap: fc.option(fc.constantFrom(1, 30), { nil: undefined }),
    reach: fc.option(fc.integer({ min: 1, max: 130 }), { nil: undefined }),
    codecs: fc.option(fc.record({ keys: codec, values: codec }), { nil: undefined }),
  })
  .map(({ groups, ...rest }) => ({ ...rest, headCount: groups * rest.keyValueHeadCount }));

/** For each operation, a way to draw a case. `storages` are the matrix types that the backend takes. */
export function randomCases(storages: readonly KnownStorage[]): Record<string, fc.Arbitrary<ConformanceCase>> {
  const storage = fc.constantFrom(...storages);
  const matrix = fc.record({
    storage,
    rows,
    steps: fc.integer({ min: 1, max: 9 }),
    odd: fc.integer({ min: 1, max: 300 }),
  });
  const widthOf = (type: KnownStorage, steps: number, odd: number) => {
    const block = blockOf(type);
    return block === 1 ? odd : block * (block > 32 ? Math.ceil(steps / 2) : steps);
  };
  const count = fc.integer({ min: 1, max: 90 });
  return {
    ...randomTrainingCases,
    activation: fc.tuple(kind, size).map(([k, s]) => activationCase(k, s)),
    "gated-activation": fc.tuple(kind, size).map(([k, s]) => gatedActivationCase(k, s)),
    add: size.map(addCase),
    scale: fc.tuple(fc.double({ min: -4, max: 4, noNaN: true }), size).map(([f, s]) => scaleCase(f, s)),
    "soft-cap": fc.tuple(fc.integer({ min: 1, max: 60 }), size).map(([cap, s]) => softCapCase(cap, s)),
    "rms-norm": fc.tuple(fc.integer({ min: 1, max: 5 }), size).map(([groups, s]) => rmsNormCase(groups, s)),
    "layer-norm": fc.tuple(fc.boolean(), size).map(([bias, s]) => layerNormCase(bias, s)),
    "log-sum-exp": fc.tuple(fc.integer({ min: 1, max: 40 }), size).map(([spread, s]) => logSumExpCase(spread, s)),
    argmax: fc.tuple(fc.integer({ min: 1, max: 40 }), size).map(([spread, s]) => argmaxCase(spread, s)),
    linear: fc
      .tuple(matrix, count, fc.boolean(), fc.boolean())
      .map(([m, out, bias, plain]) =>
        plain
          ? plainLinearCase({ rows: m.rows, width: m.odd, out, bias, products: m.steps > 5 ? "bf16" : "f32" })
          : linearCase(m.storage, { rows: m.rows, width: widthOf(m.storage, m.steps, m.odd), out, bias }),
      ),
    embedding: fc
      .tuple(matrix, count)
      .map(([m, tableRows]) =>
        embeddingCase(m.storage, { rows: m.rows, width: widthOf(m.storage, m.steps, m.odd), tableRows }),
      ),
    "select-rows": fc.tuple(size, count).map(([s, from]) => selectRowsCase(s.rows, from, s.width)),
    rotary: fc
      .tuple(rows, fc.integer({ min: 1, max: 4 }), headDim, fc.nat(39), layout, fc.boolean())
      .map(([n, heads, dim, pairs, l, inverse]) =>
        rotaryCase(n, heads, { headDim: dim, rotaryDim: 2 * (1 + (pairs % (dim / 2))), layout: l, inverse }),
      ),
    attention: attentionSize.map(attentionCase),
    "attention-weights": fc
      .tuple(fc.constantFrom("scores" as const, "probabilities" as const), attentionSize)
      .map(([stage, s]) => attentionWeightsCase(stage, s)),
    "cache-write": fc
      .tuple(role, rows, fc.integer({ min: 1, max: 4 }), headDim, codec)
      .map(([r, n, heads, dim, c]) => cacheWriteCase(r, { rows: n, keyValueHeadCount: heads, headDim: dim, codec: c })),
  };
}
