/** Flags of speculative decoding: who proposes tokens, and how many. */
import { Option } from "commander";
import type { Model } from "../generation/model.js";
import type { SpeculationOptions } from "../generation/speculation/options.js";
import type { SpeculationReport } from "../generation/speculation/report.js";
import { FlagError, wholeNumber } from "./flags.js";
import { given, loadFor, type ModelFlags } from "./model-flags.js";
import type { Terminal } from "./terminal.js";

export interface SpeculationFlags {
  readonly draft?: string;
  readonly draftTokens?: number;
  readonly lookup?: boolean;
}

const flagOf = { draft: "--draft", lookup: "--lookup" } as const;

export function speculationOptions(): Option[] {
  return [
    new Option("--draft <MODEL>", "a smaller model proposes tokens, and the model verifies them (default: none)"),
    new Option("--lookup", "propose what followed the last tokens where they came before (default: off)"),
    new Option("--draft-tokens <N>", "tokens that are proposed at once at most (default: 7)").argParser(
      wholeNumber("--draft-tokens", 1, 127),
    ),
  ];
}

/** @throws FlagError where there are two proposers, or a number of tokens without any */
export function checkSpeculationFlags(flags: SpeculationFlags): void {
  const named = (Object.keys(flagOf) as (keyof typeof flagOf)[]).filter((name) => flags[name] !== undefined);
  if (named.length > 1)
    throw new FlagError(flagOf[named[1]!], `without ${flagOf[named[0]!]}`, String(flags[named[1]!]));
  if (named.length === 0 && flags.draftTokens !== undefined) {
    throw new FlagError("--draft-tokens", `with one of ${Object.values(flagOf).join(", ")}`, String(flags.draftTokens));
  }
}

/** The speculation that the flags ask for, with a draft model loaded; `dispose` frees that. */
export async function speculationOf(
  flags: SpeculationFlags & ModelFlags,
  terminal: Terminal,
): Promise<{ readonly speculation?: SpeculationOptions; readonly dispose: () => Promise<void> }> {
  const options = given({ tokens: flags.draftTokens });
  const nothing = async () => {};
  if (flags.lookup) return { speculation: { ...options, lookup: true }, dispose: nothing };
  if (flags.draft === undefined) return { dispose: nothing };
  const { backend, threads, instructionSet, contextLength } = flags;
  const asked = given({ backend, threads, instructionSet, contextLength });
  const draft: Model = await loadFor({ ...asked, model: flags.draft }, terminal);
  return { speculation: { ...options, draft }, dispose: () => draft.dispose() };
}

/** A report as one line. */
export function speculationLine(report: SpeculationReport): string {
  const { proposer, passes, plainSteps, proposed, accepted, draftCost, verifyCost, predictedSpeedUp } = report;
  const two = (value: number) => (Number.isFinite(value) ? value.toFixed(2) : "?");
  return (
    `speculation by ${proposer}: ${accepted} of ${proposed} proposals accepted in ${passes} passes, ` +
    `${plainSteps} steps without; a proposal costs ${two(draftCost)} steps, verifying ${two(verifyCost)}; ` +
    `${two(predictedSpeedUp)} times as fast`
  );
}
