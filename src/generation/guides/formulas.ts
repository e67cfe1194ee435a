/** What guides compute, as plain functions of scores, probabilities and states. */

/** ln softmax. −∞ stays so. @param scores - [n], at least one of them finite */
export function logSoftmax(scores: ArrayLike<number>): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < scores.length; i++) if (scores[i]! > largest) largest = scores[i]!;
  let sum = 0;
  for (let i = 0; i < scores.length; i++) sum += Math.exp(scores[i]! - largest);
  const normaliser = largest + Math.log(sum);
  return Float64Array.from(scores, (score) => score - normaliser);
}

/**
 * Classifier-free guidance: ℓ_u + γ(ℓ_c − ℓ_u) on log-softmax. Sanchez et al., 2023 (arXiv:2306.17806).
 * @param conditional - [n]; what is −∞ stays so
 * @param unconditional - [n]
 */
export function guide(conditional: ArrayLike<number>, unconditional: ArrayLike<number>, scale: number): Float32Array {
  const [c, u] = [logSoftmax(conditional), logSoftmax(unconditional)];
  return Float32Array.from(c, (z, id) => (z === Number.NEGATIVE_INFINITY ? z : u[id]! + scale * (z - u[id]!)));
}

/**
 * Contrastive search: of the candidates the one with the largest (1 − α)p(v) − α · max_j cos(h_v, h_j); of equal ones
 * the first. Su et al., 2022 (arXiv:2202.06417).
 * @param probabilities - [k]
 * @param states - of each candidate, [width]
 * @param before - states of all tokens before, each of length 1, [width]
 * @returns index of the candidate
 */
export function contrast(
  probabilities: ArrayLike<number>,
  states: readonly Float32Array[],
  before: readonly Float32Array[],
  alpha: number,
): number {
  let [best, most] = [0, Number.NEGATIVE_INFINITY];
  for (const [i, state] of states.entries()) {
    const direction = normalise(state);
    let nearest = Number.NEGATIVE_INFINITY;
    for (const other of before) nearest = Math.max(nearest, dot(direction, other));
    const score = (1 - alpha) * probabilities[i]! - alpha * nearest;
    if (score > most) [best, most] = [i, score];
  }
  return best;
}

/** A vector of length 1 in the same direction; zero stays zero. */
export function normalise(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return length === 0 ? vector.slice() : vector.map((x) => x / length);
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Tokens less likely than this part of the likeliest are implausible (Li et al., 2022, arXiv:2210.15097). */
const plausible = 0.1;

/**
 * DoLa: ln p − ln q over the plausible tokens, q being the early layer that diverges most from p; −∞ elsewhere.
 * Chuang et al., 2024 (arXiv:2309.03883).
 * @param final - [n]
 * @param early - [n] for each early layer
 */
export function contrastLayers(final: ArrayLike<number>, early: readonly ArrayLike<number>[]): Float32Array {
  const p = logSoftmax(final);
  const layers = early.map(logSoftmax);
  const q = layers.length === 1 ? layers[0]! : mostDivergent(p, layers);
  const threshold = p.reduce((a, b) => Math.max(a, b)) + Math.log(plausible);
  return Float32Array.from(p, (each, id) => (each < threshold ? Number.NEGATIVE_INFINITY : each - q[id]!));
}

/** Of several layers the one with the largest divergence from p, of equal ones the first. */
function mostDivergent(p: Float64Array, layers: readonly Float64Array[]): Float64Array {
  const divergences = layers.map((q) => meanDivergence(p, q));
  return layers[divergences.indexOf(Math.max(...divergences))]!;
}

/**
 * ½ KL(m ‖ p) + ½ KL(m ‖ q), m the mean of both: as DoLa's own code and Hugging Face's compute what the paper calls the
 * Jensen–Shannon divergence, whose terms are the other way about.
 */
export function meanDivergence(p: Float64Array, q: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const mean = (Math.exp(p[i]!) + Math.exp(q[i]!)) / 2;
    if (mean > 0 && p[i]! > Number.NEGATIVE_INFINITY) sum += (mean * (2 * Math.log(mean) - p[i]! - q[i]!)) / 2;
  }
  return sum;
}
