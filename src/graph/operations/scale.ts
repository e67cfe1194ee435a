/** A tensor times a constant. */
import { defineOperation } from "../operation.js";
import type { Tensor } from "../tensor.js";

export interface ScaleAttributes {
  readonly factor: number;
}

/** @returns x · factor, in the shape of x. */
export function scale(x: Tensor, factor: number): Tensor {
  return x.graph.apply("scale", [x], { factor }, x.shape, "f32");
}

export const scaleOperation = defineOperation<ScaleAttributes>({
  name: "scale",
  inPlace: [0],
  reference({ inputs: [x], attributes: { factor }, output }) {
    for (let i = 0; i < output.data.length; i++) output.data[i] = x!.data[i]! * Math.fround(factor);
  },
  gradient: ({ attributes: { factor }, dy }) => [scale(dy, factor)],
});
