/** Flags of beam search, for the commands that translate. */
import { Option } from "commander";
import type { EarlyStopping } from "../generation/search/beams.js";
import type { BeamSearchOptions } from "../generation/search/options.js";
import { number, oneOf, wholeNumber } from "./flags.js";

export interface SearchFlags {
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: "true" | "false" | "never";
  readonly batch: number;
}

/** An option whose value is a whole number. */
export function wholeOption(flags: string, help: string, byDefault: number, from = 1): Option {
  const name = flags.split(" ")[0]!;
  return new Option(flags, help).default(byDefault).argParser(wholeNumber(name, from));
}

export function searchOptions(): Option[] {
  return [
    wholeOption("--beams <N>", "hypotheses that are followed at each step; 1 is greedy", 5),
    new Option("--length-penalty <P>", "above 0 favours longer translations, below 0 shorter ones")
      .default(1)
      .argParser(number("--length-penalty", "a number", () => true)),
    new Option("--early-stopping <WHEN>", "true, false or never")
      .default("false")
      .argParser(oneOf("--early-stopping", ["true", "false", "never"])),
    wholeOption("--batch <N>", "lines to compute together", 256),
  ];
}

/** What the flags ask of `model.beamSearchAll`. */
export function searchOf({ beams, lengthPenalty, earlyStopping }: SearchFlags): BeamSearchOptions {
  const when: EarlyStopping = earlyStopping === "never" ? "never" : earlyStopping === "true";
  return { beams, lengthPenalty, earlyStopping: when };
}
