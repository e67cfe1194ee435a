/** A tensor times a constant. */
import { defineOperation } from "../operation.js";
/** @returns x · factor, in the shape of x. */
export function scale(x, factor) {
    return x.graph.apply("scale", [x], { factor }, x.shape, "f32");
}
export const scaleOperation = defineOperation({
    name: "scale",
    inPlace: [0],
    reference({ inputs: [x], attributes: { factor }, output }) {
        for (let i = 0; i < output.data.length; i++)
            output.data[i] = x.data[i] * Math.fround(factor);
    },
});
