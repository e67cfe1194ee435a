/**
 * Rotary position embedding: turns pairs of each head's elements by an angle that grows with the position.
 * Su et al., 2021 (arXiv:2104.09864).
 *
 * `half` pairs element i with i + rotaryDim/2 (GPT-NeoX, Hugging Face); `interleaved` pairs 2i with 2i + 1 (the paper,
 * llama2.c, GGUF files of Llama). Elements from rotaryDim on pass unchanged.
 */
import { ShapeError } from "../../core/errors.js";
import { defineOperation, floats, integers, rowsOf } from "../operation.js";
import { rowWidth, showShape, type Tensor } from "../tensor.js";

export interface RotaryAttributes {
  readonly headDim: number;
  /** How many elements of each head turn; even, at most headDim. */
  readonly rotaryDim: number;
  readonly layout: "half" | "interleaved";
  /** Turn back by the same angles: the gradient of turning. Default: no. */
  readonly inverse?: boolean;
}

/**
 * @param x - [n, heads · headDim]
 * @param positions - i32 [n], each in [0, contextLength)
 * @param table - constant [contextLength, rotaryDim]: cosines of the rotaryDim/2 angles, then sines
 * @returns [n, heads · headDim]
 */
export function rotary(x: Tensor, positions: Tensor, table: Tensor, attributes: RotaryAttributes): Tensor {
  if (rowWidth(x) % attributes.headDim !== 0) {
    throw new ShapeError("rotary", `[n, heads · ${attributes.headDim}]`, showShape(x.shape));
  }
  const { headDim, rotaryDim } = attributes;
  if (!(rotaryDim >= 0 && rotaryDim <= headDim && rotaryDim % 2 === 0)) {
    throw new ShapeError("rotary", `an even number of a head's ${headDim} elements`, String(rotaryDim));
  }
  if (table.shape[1] !== rotaryDim) {
    throw new ShapeError("rotary table", `[contextLength, ${rotaryDim}]`, showShape(table.shape));
  }
  return x.graph.apply("rotary", [x, positions, table], attributes, x.shape, "f32");
}

export const rotaryOperation = defineOperation<RotaryAttributes>({
  name: "rotary",
  inPlace: [0],
  reference({ inputs: [x, positions, table], attributes: { headDim, rotaryDim, layout, inverse = false }, output }) {
    const { rows, width } = rowsOf(output);
    const half = rotaryDim / 2;
    const y = floats(output);
    if (output.data !== x!.data) y.set(floats(x!));
    for (let row = 0; row < rows; row++) {
      const angles = integers(positions!)[row]! * rotaryDim;
      for (let head = row * width; head < (row + 1) * width; head += headDim) {
        for (let i = 0; i < half; i++) {
          const first = head + (layout === "half" ? i : 2 * i);
          const second = layout === "half" ? first + half : first + 1;
          const cosine = floats(table!)[angles + i]!;
          const sine = floats(table!)[angles + half + i]! * (inverse ? -1 : 1);
          const [a, b] = [y[first]!, y[second]!];
          y[first] = a * cosine - b * sine;
          y[second] = b * cosine + a * sine;
        }
      }
    }
  },
  gradient: ({ inputs: [, positions, table], attributes, dy }) => [
    rotary(dy, positions!, table!, { ...attributes, inverse: !attributes.inverse }),
  ],
});
