/**
 * One step of AdamW: means of gradients and of their squares, freed of their start at zero, and weight decay apart from
 * both. Kingma & Ba, 2015 (arXiv:1412.6980); Loshchilov & Hutter, 2019 (arXiv:1711.05101). Without decay: Adam.
 *
 * g = gradient · gradientScale; m = β₁m + (1 − β₁)g; v = β₂v + (1 − β₂)g²;
 * p −= learningRate · (m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + decay · weightDecay · p); gradient = 0.
 */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { updateParameter } from "./states.js";

export interface AdamWAttributes {
  /** Whether this parameter decays: 1, or 0 for norms and biases. */
  readonly decay: 0 | 1;
}

/** Settings of a step, in the order of `scalars`; the two last but one are 1 − β₁ᵗ and 1 − β₂ᵗ. */
export const adamWScalars = [
  "learningRate",
  "beta1",
  "beta2",
  "eps",
  "weightDecay",
  "correction1",
  "correction2",
  "gradientScale",
] as const;

export interface AdamWStates {
  readonly parameter: Tensor;
  readonly mean: Tensor;
  readonly square: Tensor;
  readonly gradient: Tensor;
}

/**
 * @param states - of one shape; all four are written
 * @param scalars - f32 [8], in the order of `adamWScalars`
 * @returns the parameter, after the step
 */
export function adamW(states: AdamWStates, scalars: Tensor, attributes: AdamWAttributes): Tensor {
  const { parameter, mean, square, gradient } = states;
  return updateParameter("adamw", { parameter, mean, square, gradient }, scalars, adamWScalars.length, attributes);
}

export const adamWOperation = defineOperation<AdamWAttributes>({
  name: "adamw",
  writesInput: 0,
  alsoWrites: [1, 2, 3],
  reference({ inputs, attributes: { decay } }) {
    const [parameter, mean, square, gradient, scalars] = inputs.map((input) => floats(input));
    const [rate, beta1, beta2, eps, weightDecay, correction1, correction2, gradientScale] = scalars!;
    for (let i = 0; i < parameter!.length; i++) {
      const g = gradient![i]! * gradientScale!;
      const m = beta1! * mean![i]! + (1 - beta1!) * g;
      const v = beta2! * square![i]! + (1 - beta2!) * g ** 2;
      const update = m / correction1! / (Math.sqrt(v / correction2!) + eps!);
      parameter![i]! -= rate! * (update + decay * weightDecay! * parameter![i]!);
      mean![i] = m;
      square![i] = v;
      gradient![i] = 0;
    }
  },
});
