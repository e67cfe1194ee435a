/**
 * A linear map of each row: y = W·x + b.
 *
 * The storage type of W decides the arithmetic. f32, f16, bf16: products and sums of floats. Types that are computed
 * with integers (`quantized-groups.ts`): each row of x is first quantized in groups of about 256 to int8 with one scale
 * (largest magnitude / 127), and the products inside a group, of mxfp4 inside a block of 32, are hence exact.
 *
 * W may also be plain rows that a program writes (a state: the weights that training changes); products are then
 * computed as `matmul` computes them.
 */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, factors, floats, rowsOf } from "../operation.js";
import { sameExtent, showShape, type Tensor } from "../tensor.js";
import { columnSums } from "./column-sums.js";
import { matmul } from "./matmul.js";
import { isGrouped, roundToInt8Groups } from "./quantized-groups.js";

/**
 * @param x - [n, in]
 * @param weight - parameter [out, in]
 * @param bias - parameter [out], optional
 * @returns [n, out]
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [out, width] = weight.shape;
  if (x.shape.length !== 2 || weight.shape.length !== 2 || !sameExtent(x.shape[1]!, width!)) {
    throw new ShapeError(`linear by ${weight.name}`, `[n, ${String(width)}]`, showShape(x.shape));
  }
  if (bias !== undefined && !(bias.shape.length === 1 && sameExtent(bias.shape[0]!, out!))) {
    throw new ShapeError(`bias ${bias.name}`, showShape([out!]), showShape(bias.shape));
  }
  const inputs = bias === undefined ? [x, weight] : [x, weight, bias];
  return x.graph.apply("linear", inputs, {}, [x.shape[0]!, out!], "f32");
}

export const linearOperation = defineOperation<object>({
  name: "linear",
  reference({ inputs: [x, weight, bias], output, products }) {
    const { rows, width: out } = rowsOf(output);
    const width = weight!.shape[1]!;
    const rounding = weight!.packed ? "f32" : products;
    const source = isGrouped(weight!.storage) ? roundToInt8Groups(floats(x!), rows, width) : factors(x!, rounding);
    const matrix = factors(weight!, rounding);
    for (let row = 0; row < rows; row++) {
      for (let j = 0; j < out; j++) {
        let sum = bias === undefined ? 0 : floats(bias)[j]!;
        for (let i = 0; i < width; i++) sum += source[row * width + i]! * matrix[j * width + i]!;
        floats(output)[row * out + j] = sum;
      }
    }
  },
  gradient: ({ inputs: [x, weight, bias], dy }) => [
    matmul(dy, weight!),
    matmul(dy, x!, "left"),
    bias === undefined ? undefined : columnSums(dy),
  ],
});
