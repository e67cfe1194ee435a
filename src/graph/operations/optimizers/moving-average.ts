/** An exponential moving average of a parameter: average += (1 − decay) · (parameter − average). */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireUpdate } from "./states.js";

/** Settings of a step, in the order of `scalars`. */
export const movingAverageScalars = ["decay"] as const;

/**
 * @param average - a state, written
 * @param parameter - of its shape
 * @param scalars - f32 [1]: the decay, in [0, 1]
 * @returns the average, after the step
 */
export function movingAverage(average: Tensor, parameter: Tensor, scalars: Tensor): Tensor {
  requireUpdate("moving-average", { average, parameter }, scalars, movingAverageScalars.length);
  return average.graph.apply("moving-average", [average, parameter, scalars], {}, average.shape, "f32");
}

export const movingAverageOperation = defineOperation<object>({
  name: "moving-average",
  writesInput: 0,
  reference({ inputs }) {
    const [average, parameter, scalars] = inputs.map((input) => floats(input));
    for (let i = 0; i < average!.length; i++) average![i]! += (1 - scalars![0]!) * (parameter![i]! - average![i]!);
  },
});
