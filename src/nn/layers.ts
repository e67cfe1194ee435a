/** The small layers that every block is made of, written on graph operations. Parameters are named by their place. */
import type { Graph } from "../graph/graph.js";
import { activation } from "../graph/operations/activation.js";
import { gatedActivation } from "../graph/operations/gated-activation.js";
import { layerNorm } from "../graph/operations/layer-norm.js";
import { linear } from "../graph/operations/linear.js";
import { rmsNorm } from "../graph/operations/rms-norm.js";
import { rowWidth, type Tensor } from "../graph/tensor.js";
import type { FeedForwardConfig, NormConfig } from "./config.js";

/**
 * y = W·x (+ b), with parameters `place.weight` [out, in] and `place.bias` [out], and what stands beside it.
 * @param x - [n, in]
 * @returns [n, out]
 */
export function projection(graph: Graph, place: string, x: Tensor, out: number, bias: boolean): Tensor {
  const weight = graph.parameter(`${place}.weight`, [out, rowWidth(x)]);
  const y = linear(x, weight, bias ? graph.parameter(`${place}.bias`, [out]) : undefined);
  return graph.beside?.(place, x, y) ?? y;
}

/** Normalisation with parameters `place.weight` and, for layer norm, `place.bias`; both [width]. */
export function norm(graph: Graph, place: string, x: Tensor, config: NormConfig): Tensor {
  const weight = graph.parameter(`${place}.weight`, [rowWidth(x)]);
  if (config.kind === "rms") return rmsNorm(x, weight, { eps: config.eps });
  const bias = config.bias ? graph.parameter(`${place}.bias`, [rowWidth(x)]) : undefined;
  return layerNorm(x, weight, bias, { eps: config.eps });
}

/**
 * The feed-forward part of a block, without its norm and residual.
 * @param x - [n, hiddenSize]
 * @returns [n, hiddenSize]
 */
export function feedForward(graph: Graph, place: string, x: Tensor, config: FeedForwardConfig): Tensor {
  const { intermediateSize, bias } = config;
  const up = graph.name("up", projection(graph, `${place}.up`, x, intermediateSize, bias));
  let inner: Tensor;
  if (config.kind === "gated") {
    const gate = graph.name("gate", projection(graph, `${place}.gate`, x, intermediateSize, bias));
    inner = gatedActivation(gate, up, config.activation);
  } else {
    inner = activation(up, config.activation);
  }
  return projection(graph, `${place}.down`, graph.name("activated", inner), rowWidth(x), bias);
}
