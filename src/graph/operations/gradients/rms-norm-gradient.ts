/** The gradient of `rms-norm`. With f = 1/√(mean x² + ε), x̂ = f·x, g = dy·weight: dx = f·(g − x̂·mean(g·x̂)). */
import { defineOperation, floats, rowsOf } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireSameShape } from "../add.js";
import type { RmsNormAttributes } from "../rms-norm.js";

/**
 * @param x - [n, width]
 * @param weight - [width / groups]
 * @param dy - [n, width], gradient of the result
 * @returns dx [n, width] and dweight [width / groups], summed over rows and groups
 */
export function rmsNormGradient(x: Tensor, weight: Tensor, dy: Tensor, attributes: RmsNormAttributes): Tensor[] {
  requireSameShape("rms-norm-gradient", x, dy);
  const outputs = [x.shape, weight.shape].map((shape) => ({ shape, type: "f32" as const }));
  return [...x.graph.applyMany("rms-norm-gradient", [x, weight, dy], attributes, outputs)];
}

export const rmsNormGradientOperation = defineOperation<RmsNormAttributes>({
  name: "rms-norm-gradient",
  inPlace: [2, 0],
  reference({ inputs: [x, weight, dy], attributes: { eps, groups }, outputs: [dx, dweight] }) {
    const { rows, width } = rowsOf(x!);
    const size = width / groups;
    const [source, factors, slopes] = [floats(x!), floats(weight!), floats(dy!)];
    const sums = new Float64Array(size);
    for (let start = 0; start < rows * width; start += size) {
      let squares = 0;
      for (let i = 0; i < size; i++) squares += source[start + i]! ** 2;
      const factor = 1 / Math.sqrt(squares / size + Math.fround(eps));
      let mean = 0;
      for (let i = 0; i < size; i++) mean += (slopes[start + i]! * factors[i]! * source[start + i]! * factor) / size;
      for (let i = 0; i < size; i++) {
        const normed = source[start + i]! * factor;
        sums[i]! += slopes[start + i]! * normed;
        floats(dx!)[start + i] = factor * (slopes[start + i]! * factors[i]! - normed * mean);
      }
    }
    floats(dweight!).set(sums);
  },
});
