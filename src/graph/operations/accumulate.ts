/** Adds to a state: gradients over the parts of a step. */
import { ShapeError } from "../../core/errors.js";
import { defineOperation } from "../operation.js";
import { capacityElements, showShape, type Tensor } from "../tensor.js";

/**
 * state += x.
 * @param state - a state, or what an earlier `accumulate` into it returned
 * @param x - of as many elements, none of its extents live
 * @returns the state, after the sum
 */
export function accumulate(state: Tensor, x: Tensor): Tensor {
  const fixed = x.shape.every((extent) => typeof extent === "number");
  if (!fixed || capacityElements(state) !== capacityElements(x)) {
    throw new ShapeError(`accumulate into ${state.name}`, showShape(state.shape), showShape(x.shape));
  }
  return state.graph.apply("accumulate", [state, x], {}, state.shape, "f32");
}

export const accumulateOperation = defineOperation<object>({
  name: "accumulate",
  writesInput: 0,
  reference({ inputs: [state, x] }) {
    for (let i = 0; i < x!.data.length; i++) state!.data[i]! += x!.data[i]!;
  },
});
