/**
 * The windows in which a text is read so that every token is predicted exactly once, whatever its length:
 *
 *     window 0   ████████████████            scores tokens 1…W
 *     window 1           ░░░░░░░░████████    reads the last W − stride again, scores the next `stride`
 *
 * so that, with the default stride of half a window, each token is predicted from at least half a window of text.
 * Where the tokenizer begins a text with a special token (as Llama's does), every window begins with it.
 */
import { InvalidValueError, OutOfRangeError, UnsupportedError } from "../core/errors.js";
import type { Model } from "./model.js";

export interface EvaluationOptions {
  /** Tokens in a window, the beginning token included. Default: the model's context length. */
  readonly window?: number;
  /** Tokens that each window after the first adds, from 1 to what a window holds. Default: half a window. */
  readonly stride?: number;
  /** Ends the evaluation between two windows; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
  /** Called after every window with the tokens scored so far, of all that will be. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Token ids to read, and the ones that begin every window. */
export interface Material {
  readonly ids: ArrayLike<number>;
  /** A special token before the text, or nothing. */
  readonly begin: readonly number[];
  readonly bytes?: number;
}

/** What is read in one fresh sequence, and what is predicted in it. */
export interface Window {
  /** Token ids to feed: the first `context` of them only to be read, the others to predict from. */
  readonly inputs: readonly number[];
  readonly context: number;
  /** Index in the text of the token that the input at `context` predicts; the next input predicts the next. */
  readonly target: number;
}

/** @throws OutOfRangeError for a window or a stride that is more than there is room for in a sequence */
export function windowSizes(
  contextLength: number,
  options: Pick<EvaluationOptions, "window" | "stride">,
): { window: number; stride: number } {
  const window = options.window ?? contextLength;
  if (!(Number.isInteger(window) && window >= 2 && window <= contextLength)) {
    throw new OutOfRangeError("window", `a whole number from 2 to ${contextLength}`, window);
  }
  const stride = options.stride ?? Math.floor(window / 2);
  if (!(Number.isInteger(stride) && stride >= 1 && stride <= window)) {
    throw new OutOfRangeError("stride", `a whole number from 1 to ${window}`, stride);
  }
  return { window, stride };
}

/**
 * The token ids of `input`: a text, encoded here; or ids, taken as they are, with no beginning token but their first.
 * @throws UnsupportedError for encoder-decoder models, InvalidValueError for fewer than two tokens
 */
export function materialOf(model: Model, input: string | ArrayLike<number>): Material {
  if (model.config.kind !== "decoder-only") {
    throw new UnsupportedError("evaluation of the kind of model", model.config.kind, ["decoder-only"]);
  }
  const material = readMaterial(model, input);
  const tokens = predictedTokens(material);
  if (tokens < 1) throw new InvalidValueError("text", "at least two tokens long", `${tokens + 1} tokens`);
  return material;
}

/** How many tokens of a text are predicted: all but the first (the special one that begins it, if there is one). */
export function predictedTokens({ ids, begin }: Material): number {
  return ids.length + begin.length - 1;
}

function readMaterial(model: Model, input: string | ArrayLike<number>): Material {
  if (typeof input !== "string") {
    const text = model.hasTokenizer ? model.tokenizer.decode(input) : undefined;
    return { ids: input, begin: [], bytes: text === undefined ? undefined : byteLength(text) };
  }
  const { tokenizer } = model;
  const { beginId } = tokenizer;
  // What a tokenizer adds to no text at all tells whether it begins texts with a special token.
  const begins = beginId !== undefined && tokenizer.encode("")[0] === beginId;
  return {
    ids: tokenizer.encode(input, { addSpecialTokens: false }),
    begin: begins ? [beginId] : [],
    bytes: byteLength(input),
  };
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** All windows of a text, in order. */
export function* windowsOf({ ids, begin }: Material, window: number, stride: number): Generator<Window> {
  const room = window - begin.length;
  const overlap = room - Math.min(stride, room);
  // Tokens up to and including this index have been predicted; without a beginning token the first never is.
  let predicted = begin.length === 0 ? 0 : -1;
  while (predicted < ids.length - 1) {
    // Inputs [first, end) predict up to token `end`; the last token of the text is never an input.
    const first = Math.max(0, Math.max(0, predicted) - overlap);
    const end = Math.min(first + room, ids.length - 1);
    const target = predicted + 1;
    yield { inputs: [...begin, ...slice(ids, first, end)], context: target - (first - begin.length + 1), target };
    predicted = end;
  }
}

function slice(ids: ArrayLike<number>, from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => ids[from + i]!);
}
