/**
 * Watermark: after every token a secret part of the vocabulary is favoured, which a text of some length gives away.
 * Kirchenbauer et al., 2023 (arXiv:2301.10226), with the soft rule and the token before as the context.
 */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { CounterRandom } from "../../core/random.js";
import type { Processor } from "../sampling/candidates.js";

export interface WatermarkKey {
  /** What makes the lists: whoever has it can find the mark. A whole number from 0 on. */
  readonly key: number;
  /** Share of the vocabulary that is green after a token, in (0, 1). Default 0.25. */
  readonly gamma?: number;
}

export interface WatermarkOptions extends WatermarkKey {
  /** Added to the scores of green tokens. Default 2. */
  readonly delta?: number;
}

export interface WatermarkEvidence {
  /** Tokens that were looked at: all but the first. */
  readonly tokens: number;
  readonly green: number;
  /** (green − γ·T) / √(T·γ·(1 − γ)): about normal for a text without the mark; above 4 hardly by chance. */
  readonly z: number;
}

/** z += δ for the tokens that are green after the last one. @throws UnknownOptionError, OutOfRangeError */
export function watermarkProcessor(options: WatermarkOptions): Processor {
  rejectUnknownOptions(options, ["key", "gamma", "delta"], "tokens.watermark");
  const { delta = 2 } = options;
  const isGreen = greenList(options);
  if (!(delta > 0 && Number.isFinite(delta))) throw new OutOfRangeError("watermark.delta", "above 0", delta);
  return (candidates, { ids }) => {
    const before = ids.at(-1);
    if (before === undefined) return;
    const isMarked = isGreen(before);
    candidates.changeAll((z, id) => (isMarked(id) ? z + delta : z));
  };
}

/** How clearly token ids bear the mark. @throws InvalidValueError for fewer than two */
export function detectWatermark(ids: ArrayLike<number>, options: WatermarkKey): WatermarkEvidence {
  rejectUnknownOptions(options, ["key", "gamma"], "watermark");
  const { gamma = 0.25 } = options;
  const isGreen = greenList(options);
  const tokens = ids.length - 1;
  if (tokens < 1) throw new InvalidValueError("ids", "at least two", ids.length);
  let green = 0;
  for (let i = 1; i < ids.length; i++) if (isGreen(ids[i - 1]!)(ids[i]!)) green++;
  return { tokens, green, z: (green - gamma * tokens) / Math.sqrt(tokens * gamma * (1 - gamma)) };
}

/** After which token, whether which token is green: each by chance, with probability γ. */
function greenList({ key, gamma = 0.25 }: WatermarkKey): (before: number) => (id: number) => boolean {
  if (!(Number.isSafeInteger(key) && key >= 0))
    throw new OutOfRangeError("watermark.key", "a whole number from 0 on", key);
  if (!(gamma > 0 && gamma < 1)) throw new OutOfRangeError("watermark.gamma", "above 0, below 1", gamma);
  return (before) => {
    const random = new CounterRandom(key, before + 1);
    return (id) => random.uniform(id) < gamma;
  };
}
