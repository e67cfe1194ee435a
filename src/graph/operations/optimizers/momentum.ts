/**
 * The momentum of a step, for optimizers that go on from it with whole matrices, as Muon does (Jordan et al., 2024).
 *
 * g = gradient · gradientScale; v = momentum · v + g; the result is v, or with Nesterov's momentum g + momentum · v;
 * gradient = 0.
 */
import { defineOperation, floats } from "../../operation.js";
import type { Tensor } from "../../tensor.js";
import { requireUpdate } from "./states.js";

export interface MomentumAttributes {
  readonly nesterov: boolean;
}

/** Settings of a step, in the order of `scalars`. */
export const momentumScalars = ["momentum", "gradientScale"] as const;

/**
 * @param velocity - a state, written
 * @param gradient - a state of its shape, written
 * @param scalars - f32 [2], in the order of `momentumScalars`
 * @returns the direction to go, in the shape of `velocity`
 */
export function momentum(velocity: Tensor, gradient: Tensor, scalars: Tensor, attributes: MomentumAttributes): Tensor {
  requireUpdate("momentum", { velocity, gradient }, scalars, momentumScalars.length);
  return velocity.graph.apply("momentum", [velocity, gradient, scalars], attributes, velocity.shape, "f32");
}

export const momentumOperation = defineOperation<MomentumAttributes>({
  name: "momentum",
  alsoWrites: [0, 1],
  reference({ inputs, attributes: { nesterov }, output }) {
    const [velocity, gradient, scalars] = inputs.map((input) => floats(input));
    const [factor, gradientScale] = scalars!;
    for (let i = 0; i < velocity!.length; i++) {
      const g = gradient![i]! * gradientScale!;
      const v = factor! * velocity![i]! + g;
      output.data[i] = nesterov ? g + factor! * v : v;
      velocity![i] = v;
      gradient![i] = 0;
    }
  },
});
