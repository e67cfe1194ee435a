/** Flags of guidance, contrastive search and DoLa, which run the model more than once for each token. */
import { Option } from "commander";
import type { GuideOptions } from "../generation/guides/options.js";
import { FlagError, number, oneOf } from "./flags.js";
import { given } from "./model-flags.js";

export interface GuideFlags {
  readonly guidance?: number;
  readonly negative?: string;
  readonly contrastive?: number;
  readonly dola?: "low" | "high";
  readonly topK?: number;
}

export function guideOptions(): Option[] {
  return [
    new Option(
      "--guidance <SCALE>",
      "hold on to the prompt: above 1 keeps away from what --negative would lead to (default: none)",
    ).argParser(number("--guidance", "a number", () => true)),
    new Option("--negative <TEXT>", "with --guidance: a prompt to keep away from (default: the prompt's last token)"),
    new Option(
      "--contrastive <ALPHA>",
      "contrastive search among the --top-k likeliest tokens, 4 unless given (default: none)",
    ).argParser(number("--contrastive", "a number from 0 to 1", (value) => value >= 0 && value <= 1)),
    new Option("--dola <LAYERS>", "contrast the last layer with an early one: low, high (default: none)").argParser(
      oneOf("--dola", ["low", "high"] as const),
    ),
  ];
}

/** @throws FlagError for a negative prompt without guidance */
export function guidesOf({ guidance, negative, contrastive, dola, topK }: GuideFlags): GuideOptions {
  if (negative !== undefined && guidance === undefined) throw new FlagError("--negative", "with --guidance", negative);
  return given({
    guidance: guidance === undefined ? undefined : { scale: guidance, ...given({ negative }) },
    contrastive: contrastive === undefined ? undefined : { penaltyAlpha: contrastive, ...given({ topK }) },
    dola: dola === undefined ? undefined : { layers: dola },
  });
}
