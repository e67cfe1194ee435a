/**
 * The gradient of `layer-norm`. With f = 1/√(variance + ε), x̂ = f·(x − mean), g = dy·weight:
 * dx = f·(g − mean g − x̂·mean(g·x̂)).
 */
import { defineOperation, floats, rowsOf } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireSameShape } from "../add.js";

export interface LayerNormGradientAttributes {
  readonly eps: number;
  /** Whether the norm has a bias, whose gradient is a third result. */
  readonly bias: boolean;
}

/**
 * @param x - [n, width]
 * @param weight - [width]
 * @param dy - [n, width], gradient of the result
 * @returns dx [n, width], dweight [width] and, with a bias, dbias [width]
 */
export function layerNormGradient(
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  attributes: LayerNormGradientAttributes,
): Tensor[] {
  requireSameShape("layer-norm-gradient", x, dy);
  const shapes = [x.shape, weight.shape, ...(attributes.bias ? [weight.shape] : [])];
  const outputs = shapes.map((shape) => ({ shape, type: "f32" as const }));
  return [...x.graph.applyMany("layer-norm-gradient", [x, weight, dy], attributes, outputs)];
}

export const layerNormGradientOperation = defineOperation<LayerNormGradientAttributes>({
  name: "layer-norm-gradient",
  inPlace: [2, 0],
  reference({ inputs: [x, weight, dy], attributes: { eps }, outputs: [dx, dweight, dbias] }) {
    const { rows, width } = rowsOf(x!);
    const [factors, slopes] = [floats(weight!), floats(dy!)];
    const [weightSums, biasSums] = [new Float64Array(width), new Float64Array(width)];
    const normed = new Float64Array(width);
    for (let start = 0; start < rows * width; start += width) {
      const row = floats(x!).subarray(start, start + width);
      let [mean, squares] = [0, 0];
      for (const value of row) mean += value / width;
      for (const value of row) squares += (value - mean) ** 2;
      const factor = 1 / Math.sqrt(squares / width + Math.fround(eps));
      let [slope, along] = [0, 0];
      for (let i = 0; i < width; i++) {
        normed[i] = (row[i]! - mean) * factor;
        slope += (slopes[start + i]! * factors[i]!) / width;
        along += (slopes[start + i]! * factors[i]! * normed[i]!) / width;
      }
      for (let i = 0; i < width; i++) {
        weightSums[i]! += slopes[start + i]! * normed[i]!;
        biasSums[i]! += slopes[start + i]!;
        floats(dx!)[start + i] = factor * (slopes[start + i]! * factors[i]! - slope - normed[i]! * along);
      }
    }
    floats(dweight!).set(weightSums);
    if (dbias !== undefined) floats(dbias).set(biasSums);
  },
});
