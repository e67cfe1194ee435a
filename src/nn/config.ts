/**
 * What a stack of transformer blocks is, in the field's standard terms. Variation is a choice between named kinds,
 * so that a combination that makes no sense cannot be written down. Families (`models/families/`) fill this in from
 * published configurations; the layers in this folder build a graph from it.
 */
import type { ActivationKind } from "../graph/operations/activation.js";

export type NormConfig =
  | { readonly kind: "rms"; readonly eps: number }
  | { readonly kind: "layer"; readonly eps: number; readonly bias: boolean };

/**
 * Where the norms stand around attention and feed-forward, f:
 * `pre`: x + f(norm(x)); `post`: norm(x + f(x)); `sandwich`: x + norm(f(norm(x))) (Gemma 2);
 * `parallel`: x + attention(norm(x)) + feedForward(norm′(x)) (GPT-NeoX).
 */
export type ResidualKind = "pre" | "post" | "sandwich" | "parallel";

export type FeedForwardConfig = {
  /** `plain`: down(activation(up(x))); `gated`: down(activation(gate(x)) · up(x)). */
  readonly kind: "plain" | "gated";
  readonly activation: ActivationKind;
  readonly intermediateSize: number;
  readonly bias: boolean;
};

/** Rotation frequencies of one kind of layer. */
export interface RotaryConfig {
  /** Radians per position of each of the rotaryDim / 2 pairs. */
  readonly frequencies: Float32Array;
  /** Factor on cosines and sines (YaRN, LongRoPE); else 1. */
  readonly attentionFactor: number;
}

/** How a token's place enters the model. */
export type PositionConfig =
  | { readonly kind: "none" }
  /** A trained vector per position is added to the embedding. */
  | { readonly kind: "learned" }
  /** A fixed vector of sines, then cosines is added: angle = (start + position) · 10000^(−i / steps). */
  | { readonly kind: "sinusoidal"; readonly start: number; readonly steps: number }
  /** Queries and keys turn; `tables` is indexed by each layer's `rotary`. */
  | {
      readonly kind: "rotary";
      readonly layout: "half" | "interleaved";
      readonly rotaryDim: number;
      readonly tables: readonly RotaryConfig[];
    }
  /** A trained bias per head and bucketed distance is added to the scores (T5, arXiv:1910.10683). */
  | {
      readonly kind: "relative";
      readonly bucketCount: number;
      readonly maxDistance: number;
      readonly bidirectional: boolean;
    };

export interface AttentionConfig {
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  /** Scores are capped at ±softCap; 0: not. */
  readonly softCap: number;
  readonly bias: { readonly query: boolean; readonly key: boolean; readonly value: boolean; readonly output: boolean };
  /** Each head's query and key are RMS-normalised before rotation (Qwen 3, Gemma 3). */
  readonly queryKeyNorm: boolean;
}

/** What differs from layer to layer. */
export interface LayerConfig {
  /** Factor on attention scores, usually 1/√headDim. */
  readonly scale: number;
  /** Sliding window in positions; 0: the layer sees everything before it. */
  readonly window: number;
  /** Index of the rotation table. */
  readonly rotary: number;
}

export interface StackConfig {
  readonly hiddenSize: number;
  readonly norm: NormConfig;
  readonly residual: ResidualKind;
  readonly attention: AttentionConfig;
  readonly feedForward: FeedForwardConfig;
  readonly position: PositionConfig;
  readonly layers: readonly LayerConfig[];
  /** A causal stack sees the past; a bidirectional one (an encoder) everything. */
  readonly causal: boolean;
  /** Each block also attends to an encoder's output. */
  readonly crossAttention: boolean;
  readonly embedding: { readonly scale: number; readonly norm: boolean };
  /** A norm after the last block. */
  readonly finalNorm: boolean;
}
