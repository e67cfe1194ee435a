/** Several completions of one prompt, drawn side by side: the prompt is run once, and all advance in the same runs. */
import { Breather } from "../../core/breathe.js";
import { OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { freshSeed } from "../../core/random.js";
import { blocksFor } from "../../models/decoder-graph.js";
import type { Engine } from "../engine.js";
import { createSampler, type Sampler } from "../sampling/sampler.js";
import type { ChoiceModel, ChoiceOptions } from "../sampling/stages.js";
import type { Sequence } from "../sequence.js";
import type { FinishedBeam } from "./beams.js";
import { type BeamStoppingOptions, endsOf } from "./options.js";
import type { EncodedPrompt } from "./prompt-search.js";

export interface SampleOptions extends ChoiceOptions {
  /** How many completions. Default 8. */
  readonly count?: number;
  /** Tokens of each at most, the end token included. Default 256. */
  readonly maxTokens?: number;
  readonly stopping?: BeamStoppingOptions;
  /** Ends it between two steps; the signal's reason is thrown. */
  readonly signal?: AbortSignal;
}

const optionNames = ["count", "maxTokens", "stopping", "signal", "sampling", "penalties", "tokens", "processors"];

/** One completion under way. */
interface Sample {
  readonly sequence: Sequence;
  readonly sampler: Sampler;
  /** The prompt's tokens, then its own. */
  readonly ids: number[];
  logprob: number;
}

/**
 * The i-th completion is what `generate` gives with the seed `sampling.seed` + i.
 * @returns in order; `score` is the mean ln p of the tokens
 * @throws UnknownOptionError, OutOfRangeError, InvalidValueError, ContextFullError, CacheFullError, NoTokenLeftError
 */
export async function drawSamples(
  engine: Engine,
  prompt: EncodedPrompt,
  options: SampleOptions,
  model: ChoiceModel,
): Promise<{ found: FinishedBeam[]; ends: ReadonlySet<number>; maxTokens: number }> {
  rejectUnknownOptions(options, optionNames);
  const { count = 8, maxTokens = 256, stopping = {}, signal, ...choice } = options;
  for (const [name, value] of Object.entries({ count, maxTokens })) {
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new OutOfRangeError(name, "a whole number from 1 on", value);
  }
  const ends = endsOf(stopping, model);
  const limit = Math.min(maxTokens, Math.max(1, engine.network.capacity.contextLength - prompt.ids.length));
  const seed = choice.sampling?.seed ?? freshSeed();
  const samplerAt = (i: number) => {
    const { sampling, ...others } = choice;
    return createSampler(
      { temperature: 1, ...sampling, seed: seed + i },
      { ...model, endIds: [...ends] },
      undefined,
      others,
    );
  };
  const found: FinishedBeam[] = [];
  const base = await engine.sequence(prompt.source);
  try {
    if (prompt.ids.length > 1) {
      engine.adopt(base, prompt.ids);
      const ids = Array.from(prompt.ids).slice(base.length, -1);
      await engine.advance([{ sequence: base, ids, outputs: "none" }], { signal });
      engine.remember(base, prompt.ids);
    }
    while (found.length < count) {
      const samplers = Array.from({ length: Math.min(roomFor(engine, prompt, limit), count - found.length) }, (_, i) =>
        samplerAt(found.length + i),
      );
      found.push(...(await drawTogether(engine, base, prompt, samplers, ends, limit, signal)));
    }
  } finally {
    base.dispose();
  }
  return { found, ends, maxTokens };
}

/** How many completions fit into the cache and into a run beside each other; at least one. */
function roomFor({ pool, network }: Engine, { ids }: EncodedPrompt, maxTokens: number): number {
  const each = blocksFor(ids.length + maxTokens) - Math.floor((ids.length - 1) / pool.blockSize);
  return Math.max(1, Math.min(network.capacity.sequences, Math.floor((pool.size - pool.used) / each)));
}

/** @param base - has run all of the prompt but its last token */
async function drawTogether(
  engine: Engine,
  base: Sequence,
  prompt: EncodedPrompt,
  samplers: readonly Sampler[],
  ends: ReadonlySet<number>,
  maxTokens: number,
  signal?: AbortSignal,
): Promise<FinishedBeam[]> {
  const promptLength = prompt.ids.length;
  const samples = samplers.map((sampler): Sample => {
    return { sequence: base.fork(), sampler, ids: Array.from(prompt.ids), logprob: 0 };
  });
  const isOver = ({ ids }: Sample) =>
    ids.length > promptLength && (ids.length - promptLength === maxTokens || ends.has(ids.at(-1)!));
  const breather = new Breather();
  try {
    for (let active = samples; active.length > 0; active = active.filter((each) => !isOver(each))) {
      signal?.throwIfAborted();
      await step(engine, active, promptLength, signal);
      await breather.breathe();
    }
  } finally {
    for (const { sequence } of samples) sequence.dispose();
  }
  return samples.map(({ ids, logprob }) => {
    const tokens = ids.slice(promptLength);
    return { tokens, logprob, score: logprob / tokens.length };
  });
}

/** One token more for each. */
async function step(
  engine: Engine,
  active: readonly Sample[],
  promptLength: number,
  signal?: AbortSignal,
): Promise<void> {
  const waiting: (() => Promise<void>)[] = [];
  await engine.advance(
    active.map(({ sequence, ids }) => ({ sequence, ids: ids.slice(-1), outputs: "last" })),
    {
      signal,
      onOutput: ({ part, logits, logSumExp }) => {
        const sample = active[part]!;
        const { sampler, ids } = sample;
        const take = (token: number, scores: Float32Array) => {
          ids.push(token);
          sample.logprob += scores[token]! - logSumExp;
        };
        const text = { ids, promptLength };
        if (!sampler.mayWait) return take(sampler.choose(logits, ids.length, text), logits);
        const kept = logits.slice();
        waiting.push(async () => take(await sampler.chooseWaiting(kept, ids.length, text), kept));
      },
    },
  );
  for (const choose of waiting) await choose();
}
