/** Gated activation: y = activation(gate) · up. Shazeer, 2020 (arXiv:2002.05202). */
import { defineOperation, floats } from "../operation.js";
import type { Tensor } from "../tensor.js";
import { activate } from "./activate.js";
import type { ActivationAttributes, ActivationKind } from "./activation.js";
import { requireSameShape } from "./add.js";
import { gatedActivationGradient } from "./gradients/gated-activation-gradient.js";

/** @returns activation(gate) · up, in the shape of both. */
export function gatedActivation(gate: Tensor, up: Tensor, kind: ActivationKind): Tensor {
  requireSameShape("gated-activation", gate, up);
  return gate.graph.apply("gated-activation", [gate, up], { kind }, gate.shape, "f32");
}

export const gatedActivationOperation = defineOperation<ActivationAttributes>({
  name: "gated-activation",
  inPlace: [0, 1],
  reference({ inputs: [gate, up], attributes: { kind }, output }) {
    for (let i = 0; i < output.data.length; i++) {
      output.data[i] = activate(kind, floats(gate!)[i]!) * floats(up!)[i]!;
    }
  },
  gradient: ({ inputs: [gate, up], attributes: { kind }, dy }) => gatedActivationGradient(gate!, up!, dy, kind),
});
