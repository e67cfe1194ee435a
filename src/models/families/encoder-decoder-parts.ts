/** What the encoder-decoder families build their stacks and recipes from. */
import type { ActivationKind } from "../../graph/operations/activation.js";
import type { AttentionConfig, StackConfig } from "../../nn/config.js";
import type { Recipe } from "../weights.js";

export interface PlainStack {
  readonly hiddenSize: number;
  readonly headCount: number;
  readonly layerCount: number;
  readonly intermediateSize: number;
  readonly activation: ActivationKind;
  readonly position: StackConfig["position"];
  readonly residual: StackConfig["residual"];
  readonly embedding: StackConfig["embedding"];
  readonly finalNorm: boolean;
  readonly eps: number;
}

/** A stack with layer norms and biases everywhere, as encoder or as decoder: BART, Marian, the classic transformer. */
export function biasedStack(part: "encoder" | "decoder", options: PlainStack): StackConfig {
  const { hiddenSize, headCount, position, residual, embedding, finalNorm } = options;
  const headDim = hiddenSize / headCount;
  return {
    hiddenSize,
    norm: { kind: "layer", eps: options.eps, bias: true },
    residual,
    attention: biasedAttention(headCount, headDim),
    feedForward: {
      kind: "plain",
      activation: options.activation,
      intermediateSize: options.intermediateSize,
      bias: true,
    },
    position,
    layers: Array.from({ length: options.layerCount }, () => ({ scale: headDim ** -0.5, window: 0, rotary: 0 })),
    causal: part === "decoder",
    crossAttention: part === "decoder",
    embedding,
    finalNorm,
  };
}

function biasedAttention(headCount: number, headDim: number): AttentionConfig {
  const bias = { query: true, key: true, value: true, output: true };
  return { headCount, keyValueHeadCount: headCount, headDim, softCap: 0, bias, queryKeyNorm: false };
}

/** Puts recipes for `ours.weight` and `ours.bias`. */
export function putBoth(recipes: Map<string, Recipe>, ours: string, theirs: string): void {
  for (const kind of ["weight", "bias"]) recipes.set(`${ours}.${kind}`, { tensor: `${theirs}.${kind}` });
}
