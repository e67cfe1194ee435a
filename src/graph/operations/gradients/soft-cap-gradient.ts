/** The gradient of `soft-cap`: dx = dy · (1 − tanh²(x / cap)). */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireSameShape } from "../add.js";
import type { SoftCapAttributes } from "../soft-cap.js";

/**
 * @param x - what was capped
 * @param dy - gradient of the result
 * @returns dx, in the shape of both
 */
export function softCapGradient(x: Tensor, dy: Tensor, cap: number): Tensor {
  requireSameShape("soft-cap-gradient", x, dy);
  return x.graph.apply("soft-cap-gradient", [x, dy], { cap }, x.shape, "f32");
}

export const softCapGradientOperation = defineOperation<SoftCapAttributes>({
  name: "soft-cap-gradient",
  inPlace: [1, 0],
  reference({ inputs: [x, dy], attributes: { cap }, output }) {
    for (let i = 0; i < output.data.length; i++) {
      output.data[i] = floats(dy!)[i]! * (1 - Math.tanh(floats(x!)[i]! / Math.fround(cap)) ** 2);
    }
  },
});
