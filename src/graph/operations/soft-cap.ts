/** Soft capping: y = cap · tanh(x / cap). Gemma 2 (arXiv:2408.00118), §2. */
import { defineOperation } from "../operation.js";
import type { Tensor } from "../tensor.js";
import { softCapGradient } from "./gradients/soft-cap-gradient.js";

export interface SoftCapAttributes {
  readonly cap: number;
}

/** @returns cap · tanh(x / cap), in the shape of x. */
export function softCap(x: Tensor, cap: number): Tensor {
  return x.graph.apply("soft-cap", [x], { cap }, x.shape, "f32");
}

export const softCapOperation = defineOperation<SoftCapAttributes>({
  name: "soft-cap",
  inPlace: [0],
  reference({ inputs: [x], attributes: { cap }, output }) {
    const limit = Math.fround(cap);
    for (let i = 0; i < output.data.length; i++) output.data[i] = limit * Math.tanh(x!.data[i]! / limit);
  },
  gradient: ({ inputs: [x], attributes: { cap }, dy }) => [softCapGradient(x!, dy, cap)],
});
