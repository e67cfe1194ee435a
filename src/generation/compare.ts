/**
 * How far a model is from another with the same vocabulary, on a text: what quantization cost, most often.
 *
 * Both read the same windows; after each token their distributions are compared, and then forgotten.
 */

import { Breather } from "../core/breathe.js";
import { HithertoError, UnsupportedError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { divergence } from "./divergence.js";
import { type Evaluation, evaluationOf, evaluationOptionNames } from "./evaluate.js";
import type { Model } from "./model.js";
import type { Sequence } from "./sequence.js";
import { type EvaluationOptions, materialOf, predictedTokens, type Window, windowSizes, windowsOf } from "./windows.js";

/** D(other ‖ model) = Σ p_other ln(p_other / p_model) after each token, in nats. */
export interface KlDivergence {
  readonly mean: number;
  readonly median: number;
  /** Not exceeded after 99 of 100 tokens. */
  readonly percentile99: number;
}

/** The model's own evaluation, and how it stands to the other. */
export interface Comparison extends Evaluation {
  readonly other: Evaluation;
  readonly klDivergence: KlDivergence;
  /** Share of the places at which both find the same token likeliest. */
  readonly topAgreement: number;
}

/** Two models that are to be compared do not mean the same by their token ids. */
export class VocabularyMismatchError extends HithertoError {
  readonly code = "VOCABULARY_MISMATCH";

  constructor(readonly difference: string) {
    super(`the two models have different vocabularies: ${difference}`);
  }
}

/** Numbers of logits that are held at a time: those of one model, until the other has read the same tokens. */
const heldLogits = 2 ** 21;
const heldRows = 128;

/**
 * Scores `input` under two decoder-only models.
 *
 * @param model - the one in question
 * @param other - the one that it should be like
 * @param input - as for `evaluate`; a text is encoded by `model`'s tokenizer
 * @param options - as for `evaluate`; the window is as long as both allow unless given
 * @throws VocabularyMismatchError, and what `evaluate` throws
 */
export async function compare(
  model: Model,
  other: Model,
  input: string | ArrayLike<number>,
  options: EvaluationOptions = {},
): Promise<Comparison> {
  rejectUnknownOptions(options, evaluationOptionNames);
  if (other.config.kind !== "decoder-only") {
    throw new UnsupportedError("evaluation of the kind of model", other.config.kind, ["decoder-only"]);
  }
  checkVocabularies(model, other);
  const material = materialOf(model, input);
  const { window, stride } = windowSizes(Math.min(model.contextLength, other.contextLength), options);
  const tokens = predictedTokens(material);
  const pair = new Pair(model, other, tokens);
  for (const each of windowsOf(material, window, stride)) {
    await pair.read(each, material.ids, options);
  }
  return {
    ...evaluationOf(pair.total, material),
    other: evaluationOf(pair.otherTotal, material),
    klDivergence: divergenceOf(pair.divergences),
    topAgreement: pair.agreements / tokens,
  };
}

function divergenceOf(divergences: Float64Array): KlDivergence {
  const sorted = divergences.slice().sort();
  const half = sorted.length / 2;
  return {
    mean: sorted.reduce((sum, each) => sum + each, 0) / sorted.length,
    median: (sorted[Math.ceil(half) - 1]! + sorted[Math.floor(half)]!) / 2,
    percentile99: sorted[Math.ceil(0.99 * sorted.length) - 1]!,
  };
}

/** Two models that read the same tokens, and what is known of their differences so far. */
class Pair {
  /** Σ −ln p of what was predicted. */
  total = 0;
  otherTotal = 0;
  agreements = 0;
  /** After each token. */
  readonly divergences: Float64Array;
  readonly #rows: number;
  /** [rows, vocabSize] */
  readonly #logits: Float32Array;
  readonly #logSumExp: Float32Array;
  readonly #breather = new Breather();
  #done = 0;

  constructor(
    readonly model: Model,
    readonly other: Model,
    tokens: number,
  ) {
    const { vocabSize } = model.config;
    this.divergences = new Float64Array(tokens);
    this.#rows = Math.max(1, Math.min(heldRows, Math.floor(heldLogits / vocabSize)));
    this.#logits = new Float32Array(this.#rows * vocabSize);
    this.#logSumExp = new Float32Array(this.#rows);
  }

  /** Reads one window with both. */
  async read({ inputs, context, target }: Window, ids: ArrayLike<number>, options: EvaluationOptions): Promise<void> {
    const sequence = await this.model.engine.sequence();
    try {
      const otherSequence = await this.other.engine.sequence();
      try {
        const sequences = [sequence, otherSequence] as const;
        await this.#readContext(sequences, inputs.slice(0, context), options.signal);
        for (let from = context; from < inputs.length; from += this.#rows) {
          const chunk = inputs.slice(from, from + this.#rows);
          await this.#score(sequences, chunk, ids, target + from - context, options.signal);
          options.onProgress?.(this.#done, this.divergences.length);
          await this.#breather.breathe();
        }
      } finally {
        otherSequence.dispose();
      }
    } finally {
      sequence.dispose();
    }
  }

  async #readContext(
    [first, second]: readonly [Sequence, Sequence],
    ids: readonly number[],
    signal?: AbortSignal,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (ids.length === 0) return;
    await this.model.engine.advance([{ sequence: first, ids, outputs: "none" }], { signal });
    await this.other.engine.advance([{ sequence: second, ids, outputs: "none" }], { signal });
  }

  /** @param target - index in `ids` of what the chunk's first token predicts */
  async #score(
    [first, second]: readonly [Sequence, Sequence],
    chunk: readonly number[],
    ids: ArrayLike<number>,
    target: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const { vocabSize } = this.model.config;
    await this.model.engine.advance([{ sequence: first, ids: chunk, outputs: "all" }], {
      signal,
      onOutput: ({ index, logits, logSumExp }) => {
        this.#logits.set(logits, index * vocabSize);
        this.#logSumExp[index] = logSumExp;
        this.total += logSumExp - logits[ids[target + index]!]!;
      },
    });
    await this.other.engine.advance([{ sequence: second, ids: chunk, outputs: "all" }], {
      signal,
      onOutput: ({ index, logits, logSumExp }) => {
        const own = this.#logits.subarray(index * vocabSize, (index + 1) * vocabSize);
        this.divergences[this.#done++] = divergence(logits, logSumExp, own, this.#logSumExp[index]!);
        if (likeliest(logits) === likeliest(own)) this.agreements++;
        this.otherTotal += logSumExp - logits[ids[target + index]!]!;
      },
    });
  }
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** @throws VocabularyMismatchError unless every id stands for the same token in both. */
export function checkVocabularies(model: Model, other: Model): void {
  const [size, otherSize] = [model.config.vocabSize, other.config.vocabSize];
  if (size !== otherSize) throw new VocabularyMismatchError(`${size} entries and ${otherSize}`);
  if (!model.hasTokenizer || !other.hasTokenizer) return;
  for (let id = 0; id < size; id++) {
    const [text, otherText] = [textOf(model, id), textOf(other, id)];
    if (text === otherText) continue;
    throw new VocabularyMismatchError(
      `${id} is ${JSON.stringify(text)} in one, ${JSON.stringify(otherText)} in the other`,
    );
  }
}

/** What a token adds to a text: nothing for a control token, whose name is its format's. Models may pad a vocabulary. */
function textOf({ tokenizer }: Model, id: number): string | undefined {
  return id < tokenizer.vocabSize ? tokenizer.decode([id]) : undefined;
}
