/** Flags that say how a token is chosen. */
import { Option } from "commander";
import { freshSeed } from "../core/random.js";
import type { PenaltyOptions } from "../generation/processors/options.js";
import type { SamplingOptions } from "../generation/sampling/options.js";
import type { GenerationDefaults } from "../models/generation-defaults.js";
import { number, oneOf, wholeNumber } from "./flags.js";
import { given } from "./model-flags.js";

export interface SamplingFlags {
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly typicalP?: number;
  readonly order?: "huggingface" | "llama.cpp";
  readonly seed?: number;
  readonly repetitionPenalty?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly distinctNgrams?: number;
}

const temperatureHelp =
  "divides the scores; 0 takes the likeliest token (default: the checkpoint's; where it has none 0, or 1 with another sampling flag)";

export function samplingOptions(): Option[] {
  const numberFlag = (flags: string, allowed: string, isAllowed: (value: number) => boolean, help: string) =>
    new Option(flags, help).argParser(number(flags.split(" ")[0]!, allowed, isAllowed));
  const share = (flags: string, help: string) =>
    numberFlag(flags, "a number above 0, at most 1", (value) => value > 0 && value <= 1, help);
  const wholeFlag = (flags: string, from: number, help: string) =>
    new Option(flags, help).argParser(wholeNumber(flags.split(" ")[0]!, from));
  const any = () => true;
  return [
    numberFlag("--temperature <T>", "a number from 0 on", (value) => value >= 0, temperatureHelp),
    wholeFlag("--top-k <K>", 1, "draw from the K likeliest tokens (default: all)"),
    share("--top-p <P>", "draw from the likeliest tokens that make up probability P (default: 1, all)"),
    numberFlag(
      "--min-p <P>",
      "a number from 0 to 1",
      (value) => value >= 0 && value <= 1,
      "draw from tokens at least P times as likely as the likeliest (default: 0, all)",
    ),
    share("--typical-p <P>", "draw from the tokens of most usual surprise that make up P (default: 1, all)"),
    new Option("--order <NAME>", "order of filters: huggingface, llama.cpp (default: huggingface)").argParser(
      oneOf("--order", ["huggingface", "llama.cpp"]),
    ),
    wholeFlag("--seed <S>", 0, "the same seed draws the same tokens (default: a fresh one)"),
    numberFlag(
      "--repetition-penalty <R>",
      "a number above 0",
      (value) => value > 0,
      "scores above 0 of tokens in the text are divided by R, others multiplied (default: 1, none)",
    ),
    numberFlag("--frequency-penalty <F>", "a number", any, "taken off for each time that a token came (default: 0)"),
    numberFlag("--presence-penalty <F>", "a number", any, "taken off for tokens that came (default: 0)"),
    wholeFlag("--distinct-ngrams <N>", 1, "no run of N tokens comes twice (default: any may)"),
  ];
}

/**
 * The sampling that the flags ask for, with its seed settled; undefined for greedy.
 * @param defaults - the checkpoint's, for what no flag says
 */
export function samplingOf(flags: SamplingFlags, defaults: GenerationDefaults = {}): SamplingOptions | undefined {
  const { temperature, topK, topP, minP, typicalP, order, seed } = flags;
  const drawn = { ...defaults.sampling, ...given({ temperature, topK, topP, minP, typicalP, seed }) };
  if (temperature === 0 || Object.keys(drawn).length === 0) return undefined;
  return { ...drawn, ...given({ order }), seed: seed ?? freshSeed() };
}

/** The penalties that the flags ask for, and for what no flag says those of the checkpoint, if any. */
export function penaltiesOf(flags: SamplingFlags, defaults: GenerationDefaults = {}): PenaltyOptions | undefined {
  const { repetitionPenalty, frequencyPenalty, presencePenalty, distinctNgrams: noRepeatNgramSize } = flags;
  const asked = given({ repetitionPenalty, frequencyPenalty, presencePenalty, noRepeatNgramSize });
  const penalties = { ...defaults.penalties, ...asked };
  return Object.keys(penalties).length === 0 ? undefined : penalties;
}
