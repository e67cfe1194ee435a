/** The gradient of `gated-activation`: dgate = dy · up · slope(gate), dup = dy · activation(gate). */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { activate } from "../activate.js";
import type { ActivationAttributes, ActivationKind } from "../activation.js";
import { requireSameShape } from "../add.js";
import { slopeOf } from "./activation-gradient.js";

/**
 * @param dy - gradient of the result, in the shape of gate and up
 * @returns dgate and dup, in that shape
 */
export function gatedActivationGradient(gate: Tensor, up: Tensor, dy: Tensor, kind: ActivationKind): Tensor[] {
  requireSameShape("gated-activation-gradient", gate, up);
  requireSameShape("gated-activation-gradient", gate, dy);
  const output = { shape: gate.shape, type: "f32" as const };
  return [...gate.graph.applyMany("gated-activation-gradient", [gate, up, dy], { kind }, [output, output])];
}

export const gatedActivationGradientOperation = defineOperation<ActivationAttributes>({
  name: "gated-activation-gradient",
  inPlace: [0, 1, 2],
  reference({ inputs: [gate, up, dy], attributes: { kind }, outputs: [dgate, dup] }) {
    for (let i = 0; i < dy!.data.length; i++) {
      const [g, u, slope] = [floats(gate!)[i]!, floats(up!)[i]!, floats(dy!)[i]!];
      dgate!.data[i] = slope * u * slopeOf(kind, g);
      dup!.data[i] = slope * activate(kind, g);
    }
  },
});
