/** Flags of what happens at the two ends of a context: a prompt's last token, and a context that is full. */
import { Option } from "commander";
import type { ContextShiftOptions } from "../generation/context-shift.js";
import { FlagError, oneOf, wholeNumber } from "./flags.js";
import { given } from "./model-flags.js";

const methods = ["rotate", "recompute"] as const;

export interface ContextFlags {
  readonly contextShift?: (typeof methods)[number];
  readonly keep?: number;
  readonly discard?: number;
  readonly tokenHealing?: boolean;
}

export function contextOptions(): Option[] {
  return [
    new Option(
      "--context-shift <METHOD>",
      "go on when the context is full, discarding its middle: rotate turns the keys of what is left, recompute runs " +
        "it again (default: end there)",
    ).argParser(oneOf("--context-shift", methods)),
    new Option("--keep <N>", "tokens at the beginning that a shift keeps (default: 4)").argParser(
      wholeNumber("--keep", 0),
    ),
    new Option("--discard <N>", "tokens that a shift discards (default: half of the rest)").argParser(
      wholeNumber("--discard", 1),
    ),
    new Option(
      "--token-healing",
      "let the completion begin with any token that begins as the prompt's last one does (default: off)",
    ),
  ];
}

/** @throws FlagError for numbers of a shift that there is not */
export function contextOptionsOf(flags: ContextFlags): { contextShift?: ContextShiftOptions; tokenHealing?: boolean } {
  const { contextShift: method, keep, discard, tokenHealing } = flags;
  for (const [flag, value] of Object.entries({ "--keep": keep, "--discard": discard })) {
    if (method === undefined && value !== undefined) throw new FlagError(flag, "with --context-shift", String(value));
  }
  return given({ contextShift: method && given({ method, keep, discard }), tokenHealing });
}
