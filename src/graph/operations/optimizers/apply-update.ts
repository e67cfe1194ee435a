/** Takes a step in a given direction: p −= learningRate · (factor · update + decay · weightDecay · p). */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireUpdate } from "./states.js";

export interface ApplyUpdateAttributes {
  /** Whether this parameter decays: 1, or 0 for norms and biases. */
  readonly decay: 0 | 1;
}

/** Settings of a step, in the order of `scalars`. */
export const applyUpdateScalars = ["learningRate", "factor", "weightDecay"] as const;

/**
 * @param parameter - a state, written
 * @param update - of its shape
 * @param scalars - f32 [3], in the order of `applyUpdateScalars`
 * @returns the parameter, after the step
 */
export function applyUpdate(
  parameter: Tensor,
  update: Tensor,
  scalars: Tensor,
  attributes: ApplyUpdateAttributes,
): Tensor {
  requireUpdate("apply-update", { parameter, update }, scalars, applyUpdateScalars.length);
  return parameter.graph.apply("apply-update", [parameter, update, scalars], attributes, parameter.shape, "f32");
}

export const applyUpdateOperation = defineOperation<ApplyUpdateAttributes>({
  name: "apply-update",
  writesInput: 0,
  reference({ inputs, attributes: { decay } }) {
    const [parameter, update, scalars] = inputs.map((input) => floats(input));
    const [rate, factor, weightDecay] = scalars!;
    for (let i = 0; i < parameter!.length; i++) {
      parameter![i]! -= rate! * (factor! * update![i]! + decay * weightDecay! * parameter![i]!);
    }
  },
});
