/** Layer normalisation: y = (x − mean) / sqrt(variance + ε) · weight + bias. Ba et al., 2016 (arXiv:1607.06450). */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, rowsOf } from "../operation.js";
import { sameExtent, showShape, type Tensor } from "../tensor.js";
import { layerNormGradient } from "./gradients/layer-norm-gradient.js";

export interface LayerNormAttributes {
  readonly eps: number;
}

/**
 * @param x - [n, width]
 * @param weight - parameter [width]
 * @param bias - parameter [width], optional
 * @returns [n, width]
 */
export function layerNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  attributes: LayerNormAttributes,
): Tensor {
  for (const vector of bias === undefined ? [weight] : [weight, bias]) {
    if (vector.shape.length !== 1 || !sameExtent(vector.shape[0]!, x.shape[1]!)) {
      throw new ShapeError(`layer-norm by ${vector.name}`, showShape([x.shape[1]!]), showShape(vector.shape));
    }
  }
  return x.graph.apply("layer-norm", bias === undefined ? [x, weight] : [x, weight, bias], attributes, x.shape, "f32");
}

export const layerNormOperation = defineOperation<LayerNormAttributes>({
  name: "layer-norm",
  inPlace: [0],
  reference({ inputs: [x, weight, bias], attributes: { eps }, output }) {
    const { rows, width } = rowsOf(output);
    const source = floats(x!);
    for (let start = 0; start < rows * width; start += width) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += source[start + i]!;
      const mean = sum / width;
      let squares = 0;
      for (let i = 0; i < width; i++) squares += (source[start + i]! - mean) ** 2;
      const factor = 1 / Math.sqrt(squares / width + Math.fround(eps));
      for (let i = 0; i < width; i++) {
        const shift = bias === undefined ? 0 : floats(bias)[i]!;
        floats(output)[start + i] = (source[start + i]! - mean) * factor * floats(weight!)[i]! + shift;
      }
    }
  },
  gradient: ({ inputs: [x, weight, bias], attributes: { eps }, dy }) =>
    layerNormGradient(x!, weight!, dy, { eps, bias: bias !== undefined }),
});
