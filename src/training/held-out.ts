/** How well weights predict what was held out. */
import { Breather } from "../core/breathe.js";
import type { BatchShape, Dataset } from "./data/batch.js";
import type { Learner } from "./learner.js";

export interface HeldOutLoss {
  /** Mean of −ln p(token | what comes before it), in nats, without dropout or label smoothing. */
  readonly loss: number;
  /** e^loss */
  readonly perplexity: number;
  /** Σ −log₂ p(token), by the UTF-8 bytes of the text; undefined where only a part was measured. */
  readonly bitsPerByte: number | undefined;
  /** Tokens that were predicted. */
  readonly tokens: number;
}

/** @param most - tokens to measure on, from the first on; default everything */
export async function heldOutLoss(
  learner: Learner,
  data: Dataset,
  shape: BatchShape,
  most = Number.POSITIVE_INFINITY,
): Promise<HeldOutLoss> {
  const breather = new Breather();
  let [sum, tokens] = [0, 0];
  for await (const batch of data.heldOut(shape)) {
    sum += await learner.measure(batch);
    tokens += batch.counted;
    if (tokens >= most) break;
    await breather.breathe();
  }
  const loss = sum / tokens;
  const isWhole = tokens === data.heldOutTokens && data.heldOutBytes > 0;
  const bitsPerByte = isWhole ? sum / Math.LN2 / data.heldOutBytes : undefined;
  return { loss, perplexity: Math.exp(loss), bitsPerByte, tokens };
}
