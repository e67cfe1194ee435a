/**
 * First values of a model's parameters, by the role that each has.
 *
 * `gpt2`: normal with deviation 0.02, divided by √(residual sums) where a part's output is added to the stream
 * (Radford et al., 2019). `xavier`: uniform in ±√(6 / (in + out)) (Glorot & Bengio, 2010), embeddings normal with
 * deviation 1/√hiddenSize (Vaswani et al., 2017). Norms begin at one, biases at zero.
 */
import { CounterRandom } from "../core/random.js";
import type { ModelConfig } from "../models/config.js";
import type { StackConfig } from "../nn/config.js";

export type InitialisationScheme = "gpt2" | "xavier";

export interface InitialisationOptions {
  /** Default: `gpt2` for decoder-only models, `xavier` for encoder-decoders. */
  readonly scheme?: InitialisationScheme;
  /** Standard deviation of the `gpt2` scheme. Default 0.02. */
  readonly deviation?: number;
}

/**
 * Fills a parameter. The same name, seed and shape give the same numbers, whatever else the model has.
 * @param shape - [out, in] of a matrix, [n] of a vector
 * @param into - [elements], written
 */
export function initialise(
  name: string,
  shape: readonly number[],
  config: ModelConfig,
  seed: number,
  options: InitialisationOptions,
  into: Float32Array,
): void {
  if (/(^|\.)bias$/.test(name)) {
    into.fill(0);
  } else if (/(^|\.)(norm|\w+Norm)\.weight$/.test(name)) {
    into.fill(1);
  } else {
    const random = new CounterRandom(seed, hashOf(name));
    const scheme = options.scheme ?? (config.kind === "decoder-only" ? "gpt2" : "xavier");
    const spread = spreadOf(name, shape, config, scheme, options.deviation ?? 0.02);
    if (spread.kind === "normal") fillNormal(random, spread.deviation, into);
    else fillUniform(random, spread.bound, into);
  }
}

type Spread = { kind: "normal"; deviation: number } | { kind: "uniform"; bound: number };

function spreadOf(
  name: string,
  shape: readonly number[],
  config: ModelConfig,
  scheme: InitialisationScheme,
  deviation: number,
): Spread {
  const stack = stackOf(name, config);
  const isTable = /(^|\.)(embedding|positions|relativeBias)\.weight$/.test(name);
  if (scheme === "gpt2") {
    const isResidual = /\.(attention\.output|cross\.output|feedForward\.down)\.weight$/.test(name);
    return { kind: "normal", deviation: isResidual ? deviation / Math.sqrt(residualSums(stack)) : deviation };
  }
  if (isTable) return { kind: "normal", deviation: tableDeviation(name, config, stack) };
  const [out, width] = shape as [number, number];
  return { kind: "uniform", bound: Math.sqrt(6 / (out + width)) * queryFactor(name, stack) };
}

function stackOf(name: string, config: ModelConfig): StackConfig {
  return config.kind === "encoder-decoder" && name.startsWith("encoder.") ? config.encoder : config.decoder;
}

/** How many outputs are added to the stream, from the embedding to the last block. */
function residualSums({ layers, crossAttention }: StackConfig): number {
  return layers.length * (crossAttention ? 3 : 2);
}

/** Such that logits of a tied head begin near one, and positions weigh as much as embedded tokens. */
function tableDeviation(name: string, { head }: ModelConfig, { hiddenSize, embedding }: StackConfig): number {
  const table = 1 / (Math.sqrt(hiddenSize) * (head.tied ? head.scale : 1));
  return name.endsWith("positions.weight") ? table * embedding.scale : table;
}

/** Attention that does not divide its scores by √headDim (T5) begins with queries that are as much smaller. */
function queryFactor(name: string, { attention, layers }: StackConfig): number {
  if (!/\.(attention|cross)\.query\.weight$/.test(name)) return 1;
  return attention.headDim ** -0.5 / (layers[0]?.scale ?? 1);
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Box & Muller, 1958: two normal numbers from two uniform ones. */
function fillNormal(random: CounterRandom, deviation: number, into: Float32Array): void {
  for (let i = 0; i < into.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - random.uniform(i)));
    const angle = 2 * Math.PI * random.uniform(i + 1);
    into[i] = radius * Math.cos(angle);
    if (i + 1 < into.length) into[i + 1] = radius * Math.sin(angle);
  }
}

function fillUniform(random: CounterRandom, bound: number, into: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = bound * (2 * random.uniform(i) - 1);
}
