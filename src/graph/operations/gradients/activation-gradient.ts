/** The gradient of `activation`: dx = dy · slope(x). */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { erf } from "../activate.js";
import type { ActivationAttributes, ActivationKind } from "../activation.js";
import { requireSameShape } from "../add.js";

/**
 * @param x - what the activation was of
 * @param dy - gradient of the result
 * @returns dx, in the shape of both
 */
export function activationGradient(x: Tensor, dy: Tensor, kind: ActivationKind): Tensor {
  requireSameShape("activation-gradient", x, dy);
  return x.graph.apply("activation-gradient", [x, dy], { kind }, x.shape, "f32");
}

export const activationGradientOperation = defineOperation<ActivationAttributes>({
  name: "activation-gradient",
  inPlace: [1, 0],
  reference({ inputs: [x, dy], attributes: { kind }, output }) {
    for (let i = 0; i < output.data.length; i++) output.data[i] = floats(dy!)[i]! * slopeOf(kind, floats(x!)[i]!);
  },
});

/** The derivative of an activation at one number, in float64; of relu at 0, 0. */
export function slopeOf(kind: ActivationKind, x: number): number {
  switch (kind) {
    case "relu":
      return x > 0 ? 1 : 0;
    case "silu":
      return gateSlope(x, 1);
    case "quick-gelu":
      return gateSlope(x, 1.702);
    case "gelu":
      return 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
    case "gelu-tanh": {
      const root = Math.sqrt(2 / Math.PI);
      const tanh = Math.tanh(root * (x + 0.044715 * x ** 3));
      return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh ** 2) * root * (1 + 3 * 0.044715 * x ** 2);
    }
  }
}

/** The derivative of x · σ(steepness · x). */
function gateSlope(x: number, steepness: number): number {
  const gate = 1 / (1 + Math.exp(-steepness * x));
  return gate * (1 + steepness * x * (1 - gate));
}
