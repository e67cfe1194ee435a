/** Operations that treat every element alone. */
import { type ActivationKind, activation, activationKinds } from "../../../graph/operations/activation.js";
import { add } from "../../../graph/operations/add.js";
import { gatedActivation } from "../../../graph/operations/gated-activation.js";
import { scale } from "../../../graph/operations/scale.js";
import { softCap } from "../../../graph/operations/soft-cap.js";
import type { ConformanceCase, Fixture, OperationCases } from "../fixture.js";
import { awkwardRows, awkwardWidths, over } from "../sizes.js";

/** Normal numbers of a wide spread, with zeros and magnitudes where exponentials overflow. */
function wide(fixture: Fixture): () => number {
  const special = [0, -0, 20, -20, 88.8, -88.8, 104, -104, 1e-20, -1e-20, 1e4, -1e4];
  return () => (fixture.random.below(16) === 0 ? special[fixture.random.below(12)]! : 4 * fixture.random.normal());
}

export interface ElementwiseSize {
  readonly rows: number;
  readonly width: number;
}

export function activationCase(kind: ActivationKind, { rows, width }: ElementwiseSize): ConformanceCase {
  return {
    operation: "activation",
    title: `${kind}, ${rows}×${width}`,
    rows,
    tolerance: 2e-6,
    magnitude: 1,
    build: (fixture) => activation(fixture.operand("x", width, wide(fixture)), kind),
  };
}

export function gatedActivationCase(kind: ActivationKind, { rows, width }: ElementwiseSize): ConformanceCase {
  return {
    operation: "gated-activation",
    title: `${kind}, ${rows}×${width}`,
    rows,
    tolerance: 2e-6,
    magnitude: 1,
    build: (fixture) =>
      gatedActivation(fixture.operand("gate", width, wide(fixture)), fixture.operand("up", width), kind),
  };
}

export function addCase({ rows, width }: ElementwiseSize): ConformanceCase {
  const build = (fixture: Fixture) => add(fixture.operand("a", width), fixture.operand("b", width));
  return { operation: "add", title: `${rows}×${width}`, rows, tolerance: 0, build };
}

export function scaleCase(factor: number, { rows, width }: ElementwiseSize): ConformanceCase {
  const build = (fixture: Fixture) => scale(fixture.operand("x", width), factor);
  return { operation: "scale", title: `by ${factor}, ${rows}×${width}`, rows, tolerance: 0, build };
}

export function softCapCase(cap: number, { rows, width }: ElementwiseSize): ConformanceCase {
  return {
    operation: "soft-cap",
    title: `at ${cap}, ${rows}×${width}`,
    rows,
    tolerance: 2e-6,
    build: (fixture) => softCap(fixture.operand("x", width, wide(fixture)), cap),
  };
}

const sizes: readonly ElementwiseSize[] = over(awkwardRows, awkwardWidths, (rows, width) => ({ rows, width }));

export const elementwiseCases: readonly OperationCases[] = [
  {
    operation: "activation",
    cases: activationKinds.flatMap((kind) => sizes.map((size) => activationCase(kind, size))),
  },
  {
    operation: "gated-activation",
    cases: activationKinds.flatMap((kind) => sizes.map((size) => gatedActivationCase(kind, size))),
  },
  { operation: "add", cases: sizes.map(addCase) },
  { operation: "scale", cases: sizes.map((size) => scaleCase(0.3, size)) },
  { operation: "soft-cap", cases: [2, 30].flatMap((cap) => sizes.map((size) => softCapCase(cap, size))) },
];
