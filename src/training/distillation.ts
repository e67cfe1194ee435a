/**
 * Sequence-level distillation: a student learns from what its teacher writes, which is easier to learn than what people
 * wrote. Kim & Rush, 2016 (arXiv:1606.07947).
 */
import { OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Model, Prompt } from "../generation/model.js";
import type { Example } from "./data/batch.js";

export interface DistillationOptions {
  /** Of the teacher's search; 1 is greedy. Default 4. */
  readonly beams?: number;
  /** Tokens that the teacher writes at most; longer answers are left out. Default 256. */
  readonly maxTokens?: number;
  /** Sources that are searched side by side. Default 32. */
  readonly sideBySide?: number;
  readonly signal?: AbortSignal;
}

/**
 * The teacher's best answer to each source, in order, as pairs that `pairDataset` takes. Sources whose answer did not
 * end by itself are left out: their ends would teach to stop where nothing ends.
 *
 * @param teacher - an encoder-decoder with a tokenizer; a decoder-only one continues the sources
 * @throws OutOfRangeError, UnknownOptionError, what `beamSearch` throws; the signal's reason
 */
export async function* distilled(
  teacher: Model,
  sources: Iterable<string> | AsyncIterable<string>,
  options: DistillationOptions = {},
): AsyncGenerator<Example, void> {
  rejectUnknownOptions(options, ["beams", "maxTokens", "sideBySide", "signal"], "distillation");
  const { sideBySide = 32 } = options;
  if (!(Number.isInteger(sideBySide) && sideBySide >= 1)) {
    throw new OutOfRangeError("distillation.sideBySide", "a whole number from 1 on", sideBySide);
  }
  let waiting: string[] = [];
  for await (const source of sources) {
    waiting.push(source);
    if (waiting.length < sideBySide) continue;
    yield* answers(teacher, waiting, options);
    waiting = [];
  }
  if (waiting.length > 0) yield* answers(teacher, waiting, options);
}

async function* answers(
  teacher: Model,
  sources: readonly string[],
  { beams = 4, maxTokens = 256, signal }: DistillationOptions,
): AsyncGenerator<Example, void> {
  const prompts: Prompt[] = sources.map((source) => (teacher.config.kind === "encoder-decoder" ? { source } : source));
  const found = await teacher.beamSearchAll(prompts, { beams, maxTokens, signal });
  for (const [i, [best]] of found.entries()) {
    if (best?.stop.kind === "end" && best.text !== "") yield { source: sources[i]!, target: best.text };
  }
}
