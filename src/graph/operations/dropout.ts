/**
 * Dropout: sets elements to zero at random and makes up for them, x · mask / (1 − rate). Srivastava et al., 2014.
 *
 * Which elements stay is hashed from the seed, the stream and the element's index (`dropout-hash.ts`), so the backward
 * pass, a recomputed block and any thread find the same mask, and nothing is stored.
 */
import { OutOfRangeError, ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers } from "../operation.js";
import { showShape, type Tensor } from "../tensor.js";
import { dropoutBits, dropoutKeys, dropoutScale, dropoutThreshold } from "./dropout-hash.js";

export interface DropoutAttributes {
  /** Probability that an element becomes zero, in [0, 1). */
  readonly rate: number;
  /** Which dropout of the graph this is: two of one seed are independent. */
  readonly stream: number;
}

/**
 * @param x - [n, width]
 * @param seed - i32 [2], the same for all dropouts of a step
 * @returns [n, width]
 */
export function dropout(x: Tensor, seed: Tensor, attributes: DropoutAttributes): Tensor {
  const { rate } = attributes;
  if (!(rate >= 0 && rate < 1)) throw new OutOfRangeError("dropout", "in [0, 1)", rate);
  if (seed.type !== "i32" || seed.shape.length !== 1 || seed.shape[0] !== 2) {
    throw new ShapeError("dropout seed", "i32 [2]", showShape(seed.shape));
  }
  return x.graph.apply("dropout", [x, seed], attributes, x.shape, "f32");
}

export const dropoutOperation = defineOperation<DropoutAttributes>({
  name: "dropout",
  inPlace: [0],
  reference({ inputs: [x, seed], attributes: { rate, stream }, output }) {
    const keys = dropoutKeys(integers(seed!), stream);
    const [threshold, scale] = [dropoutThreshold(rate), dropoutScale(rate)];
    for (let i = 0; i < output.data.length; i++) {
      output.data[i] = dropoutBits(keys, i) < threshold ? 0 : floats(x!)[i]! * scale;
    }
  },
  gradient: ({ inputs: [, seed], attributes, dy }) => [dropout(dy, seed!, attributes)],
});
