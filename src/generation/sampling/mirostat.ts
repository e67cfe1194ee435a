/**
 * Mirostat: keeps the surprise of the drawn tokens near a target, by a limit μ that every draw corrects.
 * Basu et al., 2021 (arXiv:2007.14966); both versions as in llama.cpp. In bits.
 */
import { OutOfRangeError } from "../../core/errors.js";
import type { Candidates } from "./candidates.js";

export interface MirostatOptions {
  /** 1 estimates how steeply probabilities fall and sets a k; 2 drops tokens that surprise more than μ. Default 2. */
  readonly version?: 1 | 2;
  /** The surprise to keep, in bits. Default 5. */
  readonly tau?: number;
  /** How fast μ follows. Default 0.1. */
  readonly eta?: number;
}

/** Of how many of the likeliest version 1 estimates the slope. */
const estimated = 100;

export class Mirostat {
  readonly #version: 1 | 2;
  readonly #tau: number;
  readonly #eta: number;

  /** @throws OutOfRangeError */
  constructor({ version = 2, tau = 5, eta = 0.1 }: MirostatOptions) {
    if (version !== 1 && version !== 2) throw new OutOfRangeError("mirostat.version", "1 or 2", version);
    for (const [name, value] of Object.entries({ "mirostat.tau": tau, "mirostat.eta": eta })) {
      if (!(value > 0 && Number.isFinite(value))) throw new OutOfRangeError(name, "above 0", value);
    }
    [this.#version, this.#tau, this.#eta] = [version, tau, eta];
  }

  /** μ before the first draw. */
  get initial(): number {
    return 2 * this.#tau;
  }

  /** Leaves the candidates that the limit allows; at least one. */
  filter(candidates: Candidates, limit: number): void {
    const probabilities = candidates.probabilities();
    if (this.#version === 2) {
      const largest = candidates.largest();
      const { scores } = candidates;
      candidates.keepWhere((i) => -Math.log2(probabilities[i]!) <= limit || scores[i] === largest);
      return;
    }
    const k = likeliestToKeep(probabilities.subarray(0, candidates.count), limit);
    if (k < candidates.count) candidates.keepFromAny(candidates.kthLargest(new Float32Array(k)));
  }

  /** μ after a draw. @param probability - of the drawn token among those that were left */
  correct(limit: number, probability: number): number {
    return limit - this.#eta * (-Math.log2(probability) - this.#tau);
  }
}

/** k = (ε·2^μ / (1 − N^−ε))^(1/ŝ), ε = ŝ − 1, ŝ from the slope of the likeliest; from 1 to N. */
function likeliestToKeep(probabilities: Float64Array, limit: number): number {
  const sorted = probabilities.slice().sort().reverse();
  let [products, squares] = [0, 0];
  for (let i = 0; i < Math.min(estimated, sorted.length) - 1; i++) {
    const t = Math.log((i + 2) / (i + 1));
    const b = Math.log(sorted[i]! / sorted[i + 1]!);
    if (!Number.isFinite(b)) break;
    products += t * b;
    squares += t * t;
  }
  const slope = products / squares;
  const epsilon = slope - 1;
  const k = ((epsilon * 2 ** limit) / (1 - sorted.length ** -epsilon)) ** (1 / slope);
  return Number.isNaN(k) ? sorted.length : Math.min(sorted.length, Math.max(1, Math.round(k)));
}
