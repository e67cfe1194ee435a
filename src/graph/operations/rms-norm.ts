/** Root-mean-square normalisation: y = x / sqrt(mean(x²) + ε) · weight. Zhang & Sennrich, 2019 (arXiv:1910.07467). */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, rowsOf } from "../operation.js";
import { capacityOf, rowWidth, showShape, type Tensor } from "../tensor.js";
import { rmsNormGradient } from "./gradients/rms-norm-gradient.js";

export interface RmsNormAttributes {
  readonly eps: number;
  /** Equal parts of a row that are normalised each on its own: 1, or the number of heads. */
  readonly groups: number;
}

/**
 * @param x - [n, width]
 * @param weight - parameter [width / groups], shared by the groups
 * @returns [n, width]
 */
export function rmsNorm(x: Tensor, weight: Tensor, attributes: { eps: number; groups?: number }): Tensor {
  const groups = attributes.groups ?? 1;
  if (capacityOf(weight.shape[0]!) * groups !== rowWidth(x)) {
    throw new ShapeError(
      `rms-norm by ${weight.name}`,
      `[n, ${capacityOf(weight.shape[0]!) * groups}]`,
      showShape(x.shape),
    );
  }
  return x.graph.apply("rms-norm", [x, weight], { eps: attributes.eps, groups }, x.shape, "f32");
}

export const rmsNormOperation = defineOperation<RmsNormAttributes>({
  name: "rms-norm",
  inPlace: [0],
  reference({ inputs: [x, weight], attributes: { eps, groups }, output }) {
    const { rows, width } = rowsOf(output);
    const size = width / groups;
    const source = floats(x!);
    for (let start = 0; start < rows * width; start += size) {
      let squares = 0;
      for (let i = 0; i < size; i++) squares += source[start + i]! ** 2;
      const factor = 1 / Math.sqrt(squares / size + Math.fround(eps));
      for (let i = 0; i < size; i++) floats(output)[start + i] = source[start + i]! * factor * floats(weight!)[i]!;
    }
  },
  gradient: ({ inputs: [x, weight], attributes, dy }) => rmsNormGradient(x!, weight!, dy, attributes),
});
