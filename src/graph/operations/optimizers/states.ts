/** What the operations of optimizers share: tensors of one shape, updated together, and a vector of settings. */
import { ShapeError } from "../../../core/errors.js";
import { capacityElements, showShape, type Tensor } from "../../tensor.js";

/**
 * Throws unless all tensors have as many elements as the first, and `scalars` is a vector of `count`.
 * @param tensors - by name, for the message
 */
export function requireUpdate(
  operation: string,
  tensors: Readonly<Record<string, Tensor>>,
  scalars: Tensor,
  count: number,
): void {
  const [[, first] = [], ...others] = Object.entries(tensors);
  for (const [name, tensor] of others) {
    if (capacityElements(tensor) === capacityElements(first!)) continue;
    throw new ShapeError(`${operation} ${name}`, showShape(first!.shape), showShape(tensor.shape));
  }
  if (scalars.type !== "f32" || scalars.shape.length !== 1 || scalars.shape[0] !== count) {
    throw new ShapeError(`${operation} scalars`, `f32 [${count}]`, showShape(scalars.shape));
  }
}
