/**
 * Element-wise non-linearities of the feed-forward part.
 *
 * gelu: x·Φ(x), Φ the normal distribution function (Hendrycks & Gimpel, arXiv:1606.08415); gelu-tanh: its
 * approximation 0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))); silu: x·σ(x); quick-gelu: x·σ(1.702·x); relu: max(x, 0).
 */
import { defineOperation, floats } from "../operation.js";
export const activationKinds = ["relu", "silu", "gelu", "gelu-tanh", "quick-gelu"];
/** @returns the activation of each element, in the shape of x. */
export function activation(x, kind) {
    return x.graph.apply("activation", [x], { kind }, x.shape, "f32");
}
export const activationOperation = defineOperation({
    name: "activation",
    inPlace: [0],
    reference({ inputs: [x], attributes: { kind }, output }) {
        for (let i = 0; i < output.data.length; i++)
            output.data[i] = activate(kind, floats(x)[i]);
    },
});
/** The activation of one number, in float64. */
export function activate(kind, x) {
    switch (kind) {
        case "relu":
            return Math.max(x, 0);
        case "silu":
            return x / (1 + Math.exp(-x));
        case "quick-gelu":
            return x / (1 + Math.exp(-1.702 * x));
        case "gelu":
            return 0.5 * x * (1 + erf(x / Math.SQRT2));
        case "gelu-tanh":
            return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
    }
}
/** The error function, to float64 accuracy: Taylor series below 3, continued fraction above. */
function erf(x) {
    const magnitude = Math.abs(x);
    if (magnitude > 6)
        return Math.sign(x);
    return Math.sign(x) * (magnitude < 3 ? erfSeries(magnitude) : 1 - erfcFraction(magnitude));
}
function erfSeries(x) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
        term *= (-x * x) / n;
        sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
}
function erfcFraction(x) {
    let fraction = 0;
    for (let k = 60; k >= 1; k--)
        fraction = k / 2 / (x + fraction);
    return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}
