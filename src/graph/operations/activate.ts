/** Activations of single numbers, in float64: what definitions share. */
import type { ActivationKind } from "./activation.js";

/** The activation of one number, in float64. */
export function activate(kind: ActivationKind, x: number): number {
  switch (kind) {
    case "relu":
      return Math.max(x, 0);
    case "silu":
      return x / (1 + Math.exp(-x));
    case "quick-gelu":
      return x / (1 + Math.exp(-1.702 * x));
    case "gelu":
      return 0.5 * x * (1 + erf(x / Math.SQRT2));
    case "gelu-tanh":
      return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
  }
}

/** The error function, to float64 accuracy: Taylor series below 3, continued fraction above. */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  return Math.sign(x) * (magnitude < 3 ? erfSeries(magnitude) : 1 - erfcFraction(magnitude));
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function erfcFraction(x: number): number {
  let fraction = 0;
  for (let k = 60; k >= 1; k--) fraction = k / 2 / (x + fraction);
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * (x + fraction));
}
