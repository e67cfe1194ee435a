/** How well an encoder-decoder model predicts targets from their sources, each token given the right ones before it. */
import { Breather } from "../core/breathe.js";
import { InvalidValueError, UnsupportedError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Evaluation } from "./evaluate.js";
import type { Model } from "./model.js";
import type { OutputRow, Part } from "./run.js";

/** A source and what should be made of it: texts, encoded here, or token ids, taken as they are. */
export interface TextPair {
  readonly source: string | ArrayLike<number>;
  readonly target: string | ArrayLike<number>;
}

export interface PairEvaluationOptions {
  /** Ends the evaluation; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called with the pairs scored so far, of all. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PairEvaluation extends Evaluation {
  readonly pairs: number;
}

/** Pairs that are in the cache at once. */
const batch = 16;

/**
 * Teacher-forced loss. A target counts with the end token that belongs after it.
 *
 * @returns means over all predicted tokens; bits per byte are of the targets' text
 * @throws InvalidValueError for no pairs, UnsupportedError for decoder-only models, ContextFullError, OutOfRangeError
 */
export async function evaluatePairs(
  model: Model,
  pairs: readonly TextPair[],
  options: PairEvaluationOptions = {},
): Promise<PairEvaluation> {
  rejectUnknownOptions(options, ["signal", "onProgress"]);
  if (model.config.kind !== "encoder-decoder") {
    throw new UnsupportedError("evaluation of pairs with the kind of model", model.config.kind, ["encoder-decoder"]);
  }
  if (pairs.length === 0) throw new InvalidValueError("pairs", "at least one", 0);
  const breather = new Breather();
  let [total, tokens, bytes] = [0, 0, 0];
  for (let from = 0; from < pairs.length; from += batch) {
    options.signal?.throwIfAborted();
    const chunk = pairs.slice(from, from + batch);
    const scored = await scorePairs(model, chunk, options.signal);
    total += scored.total;
    tokens += scored.tokens;
    bytes += chunk.reduce((sum, { target }) => sum + textBytes(model, target), 0);
    options.onProgress?.(Math.min(from + batch, pairs.length), pairs.length);
    await breather.breathe();
  }
  const nll = total / tokens;
  const bitsPerByte = bytes > 0 ? total / Math.LN2 / bytes : undefined;
  return { pairs: pairs.length, tokens, nll, perplexity: Math.exp(nll), bitsPerByte };
}

/** Σ −ln p of the targets' tokens, and how many there are. */
async function scorePairs(
  model: Model,
  pairs: readonly TextPair[],
  signal?: AbortSignal,
): Promise<{ total: number; tokens: number }> {
  const parts: Part[] = [];
  const targets: number[][] = [];
  let total = 0;
  try {
    for (const pair of pairs) {
      const { source, ids } = model.encode(pair);
      targets.push([...Array.from(ids).slice(1), ...model.endIds.slice(0, 1)]);
      // A model without an end token predicts nothing after the target.
      const inputs = Array.from(ids).slice(0, targets.at(-1)!.length);
      parts.push({ sequence: await model.engine.sequence(source), ids: inputs, outputs: "all" });
    }
    const onOutput = ({ part, index, logits, logSumExp }: OutputRow) => {
      total += logSumExp - logits[targets[part]![index]!]!;
    };
    await model.engine.advance(parts, { signal, onOutput });
  } finally {
    for (const { sequence } of parts) sequence.dispose();
  }
  return { total, tokens: targets.reduce((sum, ids) => sum + ids.length, 0) };
}

/** UTF-8 bytes of a target; none where nobody can say. */
function textBytes(model: Model, target: string | ArrayLike<number>): number {
  const text = typeof target === "string" ? target : model.hasTokenizer ? model.tokenizer.decode(target) : "";
  return new TextEncoder().encode(text).length;
}
