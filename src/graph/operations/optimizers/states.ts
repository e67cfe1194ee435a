/** What the operations of optimizers share: tensors of one shape, updated together, and a vector of settings. */
import { ShapeError } from "../../../core/errors.js";
import { capacityElements, showShape, type Tensor } from "../../tensor.js";

/**
 * One step of an optimizer: an operation over tensors of one shape, the parameter first, and settings.
 * @param tensors - by name, in the order of the operation's inputs
 * @returns the parameter, after the step
 */
export function updateParameter<Attributes extends object>(
  operation: string,
  tensors: Readonly<{ parameter: Tensor } & Record<string, Tensor>>,
  scalars: Tensor,
  count: number,
  attributes: Attributes,
): Tensor {
  requireUpdate(operation, tensors, scalars, count);
  const { parameter } = tensors;
  return parameter.graph.apply(operation, [...Object.values(tensors), scalars], attributes, parameter.shape, "f32");
}

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
