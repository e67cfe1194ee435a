/**
 * Element-wise non-linearities of the feed-forward part.
 *
 * gelu: x·Φ(x), Φ the normal distribution function (Hendrycks & Gimpel, arXiv:1606.08415); gelu-tanh: its
 * approximation 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))); silu: x·σ(x); quick-gelu: x·σ(1.702·x); relu: max(x, 0).
 */
import { defineOperation, floats } from "../operation.js";
import type { Tensor } from "../tensor.js";
import { activate } from "./activate.js";
import { activationGradient } from "./gradients/activation-gradient.js";

export const activationKinds = ["relu", "silu", "gelu", "gelu-tanh", "quick-gelu"] as const;
export type ActivationKind = (typeof activationKinds)[number];

export interface ActivationAttributes {
  readonly kind: ActivationKind;
}

/** @returns the activation of each element, in the shape of x. */
export function activation(x: Tensor, kind: ActivationKind): Tensor {
  return x.graph.apply("activation", [x], { kind }, x.shape, "f32");
}

export const activationOperation = defineOperation<ActivationAttributes>({
  name: "activation",
  inPlace: [0],
  reference({ inputs: [x], attributes: { kind }, output }) {
    for (let i = 0; i < output.data.length; i++) output.data[i] = activate(kind, floats(x!)[i]!);
  },
  gradient: ({ inputs: [x], attributes: { kind }, dy }) => [activationGradient(x!, dy, kind)],
});
