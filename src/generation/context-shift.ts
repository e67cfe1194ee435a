/**
 * What happens when a context is full and generation goes on: the first tokens stay, some after them are discarded, the
 * rest moves down.
 *
 * `recompute` runs what is left again, as a fresh sequence. `rotate` keeps its keys and values, and turns the keys back
 * by the places that they moved: at once, exact for the rotation, but not the same as running again, because what the
 * layers above the first hold of those tokens still comes from states that saw what was discarded. How much that matters
 * can be measured: `Session.shiftDivergence`.
 */

import { HithertoError, InvalidValueError, OutOfRangeError, UnsupportedError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { checkHoldsFloats, holdsFloats } from "../models/cache-floats.js";
import type { Network } from "../models/network.js";
import type { PositionConfig } from "../nn/config.js";
import { divergence } from "./divergence.js";
import type { Engine } from "./engine.js";
import type { NextLogits } from "./next-logits.js";
import type { Sequence } from "./sequence.js";

export interface ContextShiftOptions {
  /**
   * Tokens from the first on that stay where they are. Default 4: attention leans on the first few tokens whatever they
   * say (Xiao et al., 2024, arXiv:2309.17453).
   */
  readonly keep?: number;
  /** Tokens after those that are discarded each time. Default: half of the rest. */
  readonly discard?: number;
  /**
   * Default "rotate" where it can be: with rotary positions, relative ones or none, and a cache in float32; else
   * "recompute".
   */
  readonly method?: "rotate" | "recompute";
}

/** `keep` and `discard` ask for more tokens than there are: nothing can be discarded, or nothing would be left. */
export class ShiftImpossibleError extends HithertoError {
  readonly code = "SHIFT_IMPOSSIBLE";

  constructor(
    readonly keep: number,
    readonly discard: number,
    readonly length: number,
  ) {
    super(
      `the context cannot be shifted: ${keep} tokens are to be kept and ${discard} discarded, of ${length}; ` +
        "at least one has to be discarded, and one left after those that are kept",
    );
  }
}

/** What a shift of a sequence of some length does. */
export interface ShiftPlan {
  readonly keep: number;
  readonly discard: number;
  readonly method: "rotate" | "recompute";
}

const defaultKeep = 4;

/** Kinds of positions under which a key can be moved to another place. */
const movable: readonly PositionConfig["kind"][] = ["rotary", "relative", "none"];

/**
 * @param length - of the sequence, or the context length where it is not known yet
 * @throws UnknownOptionError, OutOfRangeError, InvalidValueError, UnsupportedError for `rotate` of positions that are
 *   added to the states, and of a cache in another storage type than float32, ShiftImpossibleError
 */
export function planShift(options: ContextShiftOptions, length: number, network: Network): ShiftPlan {
  rejectUnknownOptions(options, ["keep", "discard", "method"], "contextShift");
  const positions = network.config.decoder.position.kind;
  const canRotate = movable.includes(positions) && holdsFloats(network);
  const { keep = defaultKeep, method = canRotate ? "rotate" : "recompute" } = options;
  if (!(Number.isInteger(keep) && keep >= 0)) {
    throw new OutOfRangeError("contextShift.keep", "a whole number from 0 on", keep);
  }
  const discard = options.discard ?? Math.floor((length - keep) / 2);
  if (options.discard !== undefined && !(Number.isInteger(discard) && discard >= 1)) {
    throw new OutOfRangeError("contextShift.discard", "a whole number from 1 on", discard);
  }
  if (method !== "rotate" && method !== "recompute") {
    throw new InvalidValueError("contextShift.method", '"rotate" or "recompute"', method);
  }
  if (method === "rotate" && !movable.includes(positions)) {
    throw new UnsupportedError('contextShift.method "rotate" with positions of kind', positions, movable);
  }
  if (method === "rotate") checkHoldsFloats(network);
  if (discard < 1 || keep + discard >= length) throw new ShiftImpossibleError(keep, Math.max(1, discard), length);
  return { keep, discard, method };
}

/** How far what a session predicts is from what its tokens would predict, run again from the first on. */
export interface ShiftDivergence {
  /** D(run again ‖ session) = Σ p ln(p / q) over the next token, in nats. */
  readonly klDivergence: number;
  /** Whether both find the same token likeliest. */
  readonly sameLikeliest: boolean;
}

/**
 * Runs all tokens again beside a sequence, and compares.
 * @param next - what the sequence predicts after `ids`
 * @throws CacheFullError where there is no room for a second sequence
 */
export async function divergenceOf(
  engine: Engine,
  sequence: Sequence,
  ids: readonly number[],
  next: NextLogits,
  signal?: AbortSignal,
): Promise<ShiftDivergence> {
  const again = sequence.fork();
  try {
    again.table.truncate(0);
    let result: ShiftDivergence | undefined;
    await engine.advance([{ sequence: again, ids, outputs: "last" }], {
      signal,
      onOutput: ({ logits, logSumExp, likeliest }) => {
        const klDivergence = divergence(logits, logSumExp, next.values, next.logSumExp);
        result = { klDivergence, sameLikeliest: likeliest === next.likeliest };
      },
    });
    return result!;
  } finally {
    again.dispose();
  }
}
