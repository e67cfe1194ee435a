/** How a session chooses tokens, from what it was told. */
import { OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import type { Network } from "../models/network.js";
import type { Tokenizer } from "../tokenizers/tokenizer.js";
import { planShift } from "./context-shift.js";
import type { Guides } from "./guides/guides.js";
import { createSampler, type Sampler } from "./sampling/sampler.js";
import type { SessionOptions } from "./session-options.js";

/** What a session is told beside how to choose. @throws UnknownOptionError, OutOfRangeError, and what `planShift` throws */
export function checkSession({ contextShift, cache = {}, alternatives = 0 }: SessionOptions, network: Network): void {
  const { vocabSize } = network.config;
  rejectUnknownOptions(cache, ["share", "salt"], "cache");
  if (contextShift !== undefined) planShift(contextShift, network.capacity.contextLength, network);
  if (!(Number.isInteger(alternatives) && alternatives >= 0 && alternatives <= vocabSize)) {
    throw new OutOfRangeError("alternatives", `a whole number from 0 to ${vocabSize}`, alternatives);
  }
}

/** @throws what `createSampler` throws */
export function samplerOf(
  { config }: Network,
  tokenizer: Tokenizer | undefined,
  options: SessionOptions,
  inheritedSeed: number | undefined,
  guides: Guides | undefined,
): Sampler {
  const { vocabSize, endIds: ownEnds, bannedIds = [] } = config;
  const endIds = [...new Set([...ownEnds, ...(tokenizer?.endIds ?? [])])];
  const { sampling = {}, ...others } = options;
  return createSampler(sampling, { vocabSize, endIds, bannedIds, guides }, inheritedSeed, others);
}
