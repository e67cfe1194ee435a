/** Soft capping: y = cap · tanh(x / cap). Gemma 2 (arXiv:2408.00118), §2. */
import { defineOperation } from "../operation.js";
/** @returns cap · tanh(x / cap), in the shape of x. */
export function softCap(x, cap) {
    return x.graph.apply("soft-cap", [x], { cap }, x.shape, "f32");
}
export const softCapOperation = defineOperation({
    name: "soft-cap",
    inPlace: [0],
    reference({ inputs: [x], attributes: { cap }, output }) {
        const limit = Math.fround(cap);
        for (let i = 0; i < output.data.length; i++)
            output.data[i] = limit * Math.tanh(x.data[i] / limit);
    },
});
