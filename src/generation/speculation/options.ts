/** How `generate` is told to speculate. */
import { InvalidValueError, OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import type { Model } from "../model.js";
import type { LookaheadOptions } from "./lookahead.js";
import type { LookupOptions } from "./lookup.js";
import type { Proposer } from "./proposer.js";

/** One proposer, and how it is used. */
export interface SpeculationOptions {
  /** A smaller model proposes; where its vocabulary is another, by way of the text. */
  readonly draft?: Model;
  /** What followed the last tokens when they came before in the prompt or the output. */
  readonly lookup?: boolean | LookupOptions;
  /** The model's own first so many layers propose, with its final norm and head. */
  readonly earlyExit?: number;
  /** Guesses that become right by themselves: each pass replaces them by what the model says given those before. */
  readonly jacobi?: boolean;
  /** Runs of tokens that Jacobi's guesses have shown, several of them verified at once. */
  readonly lookahead?: boolean | LookaheadOptions;
  /** A proposer of your own. */
  readonly proposer?: Proposer;
  /** Tokens that are proposed in one pass at most. Default 7. */
  readonly tokens?: number;
  /**
   * Whether to measure what it costs and gains, to choose the number of proposals by it, and to switch off where it does
   * not pay. Default true; false always proposes as many as it can.
   */
  readonly adaptive?: boolean;
  /**
   * For completions that are drawn: have just the tokens that this seed draws without speculation. Fewer of a draft's
   * tokens are then accepted. Default false: another draw of the same distribution, which also depends on the passes.
   */
  readonly sameDraws?: boolean;
}

const proposers = ["draft", "lookup", "earlyExit", "jacobi", "lookahead", "proposer"] as const;
const optionNames = [...proposers, "tokens", "adaptive", "sameDraws"];

/** Along with the last token eight rows, which kernels multiply in one go. */
export const defaultProposals = 7;

/** The run of a model has room for so many rows of logits. */
const mostProposals = 127;

/** @throws UnknownOptionError, InvalidValueError unless there is just one proposer, OutOfRangeError */
export function checkSpeculation(options: SpeculationOptions): void {
  rejectUnknownOptions(options, optionNames, "speculation");
  const named = proposers.filter((name) => options[name] !== undefined && options[name] !== false);
  if (named.length !== 1) {
    const found = named.length === 0 ? "none" : named.join(" and ");
    throw new InvalidValueError("speculation", `one proposer: ${proposers.join(", ")}`, found);
  }
  const { tokens = defaultProposals } = options;
  if (!(Number.isInteger(tokens) && tokens >= 1 && tokens <= mostProposals)) {
    throw new OutOfRangeError("speculation.tokens", `a whole number from 1 to ${mostProposals}`, tokens);
  }
}
