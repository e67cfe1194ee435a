/**
 * One step of stochastic gradient descent with momentum, weight decay apart from it.
 * Sutskever et al., 2013; Loshchilov & Hutter, 2019 (arXiv:1711.05101), algorithm 1.
 *
 * g = gradient · gradientScale; v = momentum · v + g; u = v, or with Nesterov's momentum g + momentum · v;
 * p −= learningRate · (u + decay · weightDecay · p); gradient = 0.
 */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { updateParameter } from "./states.js";

export interface SgdAttributes {
  /** Whether this parameter decays: 1, or 0 for norms and biases. */
  readonly decay: 0 | 1;
  readonly nesterov: boolean;
}

/** Settings of a step, in the order of `scalars`. */
export const sgdScalars = ["learningRate", "momentum", "weightDecay", "gradientScale"] as const;

export interface SgdStates {
  readonly parameter: Tensor;
  readonly velocity: Tensor;
  readonly gradient: Tensor;
}

/**
 * @param states - of one shape; all three are written
 * @param scalars - f32 [4], in the order of `sgdScalars`
 * @returns the parameter, after the step
 */
export function sgd(states: SgdStates, scalars: Tensor, attributes: SgdAttributes): Tensor {
  const { parameter, velocity, gradient } = states;
  return updateParameter("sgd", { parameter, velocity, gradient }, scalars, sgdScalars.length, attributes);
}

export const sgdOperation = defineOperation<SgdAttributes>({
  name: "sgd",
  writesInput: 0,
  alsoWrites: [1, 2],
  reference({ inputs, attributes: { decay, nesterov } }) {
    const [parameter, velocity, gradient, scalars] = inputs.map((input) => floats(input));
    const [rate, momentum, weightDecay, gradientScale] = scalars!;
    for (let i = 0; i < parameter!.length; i++) {
      const g = gradient![i]! * gradientScale!;
      const v = momentum! * velocity![i]! + g;
      const update = nesterov ? g + momentum! * v : v;
      parameter![i]! -= rate! * (update + decay * weightDecay! * parameter![i]!);
      velocity![i] = v;
      gradient![i] = 0;
    }
  },
});
