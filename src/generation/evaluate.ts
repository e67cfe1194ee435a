/** How well a model predicts a text: mean negative log-likelihood, perplexity and bits per byte. */
import { Breather } from "../core/breathe.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Model } from "./model.js";
import {
  type EvaluationOptions,
  type Material,
  materialOf,
  predictedTokens,
  type Window,
  windowSizes,
  windowsOf,
} from "./windows.js";

/** Names of `EvaluationOptions`. */
export const evaluationOptionNames = ["window", "stride", "signal", "onProgress"];

export interface Evaluation {
  /** Tokens that were predicted: all but the first (the special one that begins a text, if there is one). */
  readonly tokens: number;
  /** Mean of −ln p(token | what comes before it in its window), in nats per token. */
  readonly nll: number;
  /** e^nll */
  readonly perplexity: number;
  /**
   * Σ −log₂ p(token), divided by the UTF-8 bytes of the text: comparable between tokenizers.
   * Undefined where token ids were given and the model has no tokenizer to say how long their text is.
   */
  readonly bitsPerByte?: number;
}

/**
 * Scores `input` under a decoder-only model.
 *
 * @param input - a text, encoded here; or token ids, taken as they are, with no beginning token but their own first
 * @throws InvalidValueError for fewer than two tokens, OutOfRangeError, UnsupportedError for encoder-decoder models
 */
export async function evaluate(
  model: Model,
  input: string | ArrayLike<number>,
  options: EvaluationOptions = {},
): Promise<Evaluation> {
  rejectUnknownOptions(options, evaluationOptionNames);
  const material = materialOf(model, input);
  const { window, stride } = windowSizes(model.contextLength, options);
  const breather = new Breather();
  const tokens = predictedTokens(material);
  let [total, done] = [0, 0];
  for (const each of windowsOf(material, window, stride)) {
    options.signal?.throwIfAborted();
    total += await scoreWindow(model, each, material.ids, options.signal);
    done += each.inputs.length - each.context;
    options.onProgress?.(done, tokens);
    await breather.breathe();
  }
  return evaluationOf(total, material);
}

/** @param total - Σ −ln p over all predicted tokens, in nats */
export function evaluationOf(total: number, material: Material): Evaluation {
  const tokens = predictedTokens(material);
  const nll = total / tokens;
  const bitsPerByte =
    material.bytes === undefined || material.bytes === 0 ? undefined : total / Math.LN2 / material.bytes;
  return { tokens, nll, perplexity: Math.exp(nll), bitsPerByte };
}

/** Σ −ln p of the tokens that one window predicts. */
async function scoreWindow(
  model: Model,
  { inputs, context, target }: Window,
  ids: ArrayLike<number>,
  signal?: AbortSignal,
): Promise<number> {
  let sum = 0;
  const sequence = await model.engine.sequence();
  try {
    if (context > 0) {
      await model.engine.advance([{ sequence, ids: inputs.slice(0, context), outputs: "none" }], { signal });
    }
    await model.engine.advance([{ sequence, ids: inputs.slice(context), outputs: "all" }], {
      signal,
      onOutput: ({ index, logits, logSumExp }) => {
        sum += logSumExp - logits[ids[target + index]!]!;
      },
    });
  } finally {
    sequence.dispose();
  }
  return sum;
}
