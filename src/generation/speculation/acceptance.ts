/**
 * Which of a draft's tokens stay, so that what comes out has the target's distribution and nothing else.
 *
 * Leviathan et al., 2023 (arXiv:2211.17192); Chen et al., 2023 (arXiv:2302.01318).
 */
import type { Candidates } from "../sampling/candidates.js";

/** Probabilities of the tokens that can come, in order of id; all others have none. */
export interface Distribution {
  /** [n], ascending. */
  readonly ids: Int32Array;
  /** [n], summing to 1. */
  readonly probabilities: Float64Array;
}

/** A token that a draft drew, and what it drew it from. */
export interface DrawnProposal {
  readonly token: number;
  readonly from: Distribution;
}

/** A copy of what is left of the tokens after all processors and filters. */
export function distributionOf(candidates: Candidates): Distribution {
  const probabilities = candidates.probabilities().slice(0, candidates.count);
  return { ids: candidates.ids.slice(0, candidates.count), probabilities };
}

/** The token at quantile `u`, in order of id. */
export function drawFrom({ ids, probabilities }: Distribution, u: number): number {
  return ids[indexAt(probabilities, u, 1)]!;
}

/** 0 for a token that cannot come. */
export function probabilityOf({ ids, probabilities }: Distribution, token: number): number {
  let [low, high] = [0, ids.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < token) low = middle + 1;
    else high = middle;
  }
  return ids[low] === token ? probabilities[low]! : 0;
}

/**
 * The token that stands where x was drawn from q: x with probability min(1, p(x) / q(x)), otherwise a draw from
 * norm(max(0, p − q)). Whatever q is, the result has distribution p.
 *
 * @param target - p
 * @param uAccept - in [0, 1), independent of the draw of x and of `uDraw`
 * @param uDraw - quantile of the second draw
 */
export function acceptOrRedraw(target: Distribution, draft: DrawnProposal, uAccept: number, uDraw: number): number {
  const { token, from } = draft;
  if (uAccept * probabilityOf(from, token) < probabilityOf(target, token)) return token;
  const rest = residual(target, from);
  const sum = rest.reduce((total, each) => total + each, 0);
  // Where p = q but for rounding, nothing is left of p − q: then p itself is as good.
  return sum > 0 ? target.ids[indexAt(rest, uDraw, sum)]! : drawFrom(target, uDraw);
}

/** max(0, p − q) for each token of p. */
function residual(p: Distribution, q: Distribution): Float64Array {
  const rest = new Float64Array(p.ids.length);
  let j = 0;
  for (let i = 0; i < rest.length; i++) {
    const id = p.ids[i]!;
    while (j < q.ids.length && q.ids[j]! < id) j++;
    const other = q.ids[j] === id ? q.probabilities[j]! : 0;
    rest[i] = Math.max(0, p.probabilities[i]! - other);
  }
  return rest;
}

/** The index at quantile `u` of masses that sum to about `sum`; rounding never leads to a mass of 0. */
function indexAt(masses: Float64Array, u: number, sum: number): number {
  let mass = 0;
  let last = 0;
  for (let i = 0; i < masses.length; i++) {
    if (masses[i]! > 0) last = i;
    mass += masses[i]!;
    if (u * sum < mass) return i;
  }
  return last;
}

/**
 * Expected tokens of a pass that verifies γ proposals, each accepted with probability α after those before it:
 * (1 − α^(γ+1)) / (1 − α).
 */
export function expectedTokens(acceptance: number, proposals: number): number {
  if (acceptance === 1) return proposals + 1;
  return (1 - acceptance ** (proposals + 1)) / (1 - acceptance);
}
