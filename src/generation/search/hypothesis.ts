/** What a search gives back. */
import type { Tokenizer } from "../../tokenizers/tokenizer.js";
import type { StopReason } from "../stopping.js";
import type { FinishedBeam } from "./beams.js";

export interface Hypothesis {
  /** Generated token ids, the end token included where one ended it. */
  readonly tokens: readonly number[];
  /** The generated text; empty for a model without a tokenizer. */
  readonly text: string;
  /** Σ ln p of the tokens, divided by the length penalty: what hypotheses are ranked by. */
  readonly score: number;
  /** Σ ln p of the tokens under the model itself. */
  readonly logprob: number;
  /** What ended it. */
  readonly stop: StopReason;
}

/**
 * @param prompt - token ids before the generated ones
 * @param endIds - the model's own
 * @param maxTokens - what the search was allowed
 */
export function hypothesisOf(
  { tokens, score, logprob }: FinishedBeam,
  prompt: ArrayLike<number>,
  tokenizer: Tokenizer | undefined,
  ends: { readonly endIds: readonly number[]; readonly all: ReadonlySet<number>; readonly maxTokens: number },
): Hypothesis {
  const last = tokens.at(-1)!;
  const isEnded = ends.all.has(last);
  const shown = isEnded ? tokens.slice(0, -1) : tokens;
  return { tokens, text: textAfter(prompt, shown, tokenizer), score, logprob, stop: stopOf(last, tokens.length, ends) };
}

function stopOf(
  token: number,
  length: number,
  { endIds, all, maxTokens }: { endIds: readonly number[]; all: ReadonlySet<number>; maxTokens: number },
): StopReason {
  if (all.has(token)) return { kind: endIds.includes(token) ? "end" : "token", token };
  return { kind: length === maxTokens ? "maxTokens" : "contextLength" };
}

function textAfter(prompt: ArrayLike<number>, tokens: readonly number[], tokenizer: Tokenizer | undefined): string {
  if (tokenizer === undefined) return "";
  const stream = tokenizer.stream({ after: prompt });
  let text = "";
  for (const token of tokens) text += stream.push(token);
  return text + stream.flush();
}
