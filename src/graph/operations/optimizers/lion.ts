/**
 * One step of Lion: the sign of a mean of gradients. Chen et al., 2023 (arXiv:2302.06675), algorithm 2.
 *
 * g = gradient · gradientScale; p −= learningRate · (sign(β₁m + (1 − β₁)g) + decay · weightDecay · p);
 * m = β₂m + (1 − β₂)g; gradient = 0.
 */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { updateParameter } from "./states.js";

export interface LionAttributes {
  /** Whether this parameter decays: 1, or 0 for norms and biases. */
  readonly decay: 0 | 1;
}

/** Settings of a step, in the order of `scalars`. */
export const lionScalars = ["learningRate", "beta1", "beta2", "weightDecay", "gradientScale"] as const;

export interface LionStates {
  readonly parameter: Tensor;
  readonly mean: Tensor;
  readonly gradient: Tensor;
}

/**
 * @param states - of one shape; all three are written
 * @param scalars - f32 [5], in the order of `lionScalars`
 * @returns the parameter, after the step
 */
export function lion(states: LionStates, scalars: Tensor, attributes: LionAttributes): Tensor {
  const { parameter, mean, gradient } = states;
  return updateParameter("lion", { parameter, mean, gradient }, scalars, lionScalars.length, attributes);
}

export const lionOperation = defineOperation<LionAttributes>({
  name: "lion",
  writesInput: 0,
  alsoWrites: [1, 2],
  reference({ inputs, attributes: { decay } }) {
    const [parameter, mean, gradient, scalars] = inputs.map((input) => floats(input));
    const [rate, beta1, beta2, weightDecay, gradientScale] = scalars!;
    for (let i = 0; i < parameter!.length; i++) {
      const g = gradient![i]! * gradientScale!;
      const direction = Math.sign(beta1! * mean![i]! + (1 - beta1!) * g);
      parameter![i]! -= rate! * (direction + decay * weightDecay! * parameter![i]!);
      mean![i] = beta2! * mean![i]! + (1 - beta2!) * g;
      gradient![i] = 0;
    }
  },
});
