import { activation } from "../graph/operations/activation.js";
import { gatedActivation } from "../graph/operations/gated-activation.js";
import { layerNorm } from "../graph/operations/layer-norm.js";
import { linear } from "../graph/operations/linear.js";
import { rmsNorm } from "../graph/operations/rms-norm.js";
import { rowWidth } from "../graph/tensor.js";
/**
 * y = W·x (+ b), with parameters `place.weight` [out, in] and `place.bias` [out].
 * @param x - [n, in]
 * @returns [n, out]
 */
export function projection(graph, place, x, out, bias) {
    const weight = graph.parameter(`${place}.weight`, [out, rowWidth(x)]);
    return linear(x, weight, bias ? graph.parameter(`${place}.bias`, [out]) : undefined);
}
/** Normalisation with parameters `place.weight` and, for layer norm, `place.bias`; both [width]. */
export function norm(graph, place, x, config) {
    const weight = graph.parameter(`${place}.weight`, [rowWidth(x)]);
    if (config.kind === "rms")
        return rmsNorm(x, weight, { eps: config.eps });
    const bias = config.bias ? graph.parameter(`${place}.bias`, [rowWidth(x)]) : undefined;
    return layerNorm(x, weight, bias, { eps: config.eps });
}
/**
 * The feed-forward part of a block, without its norm and residual.
 * @param x - [n, hiddenSize]
 * @returns [n, hiddenSize]
 */
export function feedForward(graph, place, x, config) {
    const { intermediateSize, bias } = config;
    const up = graph.name("up", projection(graph, `${place}.up`, x, intermediateSize, bias));
    let inner;
    if (config.kind === "gated") {
        const gate = graph.name("gate", projection(graph, `${place}.gate`, x, intermediateSize, bias));
        inner = gatedActivation(gate, up, config.activation);
    }
    else {
        inner = activation(up, config.activation);
    }
    return projection(graph, `${place}.down`, graph.name("activated", inner), rowWidth(x), bias);
}
