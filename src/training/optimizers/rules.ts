/** The optimizers, each as a rule over the operations that do its arithmetic. */
import { adamW, adamWScalars } from "../../graph/operations/optimizers/adamw.js";
import { lion, lionScalars } from "../../graph/operations/optimizers/lion.js";
import { sgd, sgdScalars } from "../../graph/operations/optimizers/sgd.js";
import type { UpdateRule } from "./rule.js";

export interface AdamSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
}

/** AdamW; Adam without weight decay. */
export function adamWRule(settings: AdamSettings): UpdateRule {
  const { learningRate, beta1, beta2, eps, weightDecay } = settings;
  return {
    name: "adamw",
    kept: ["mean", "square"],
    scalars: { adamw: adamWScalars.length },
    update: ({ parameter, gradient, kept, scalars, decay }) =>
      adamW({ parameter, gradient, mean: kept.mean!, square: kept.square! }, scalars.adamw!, { decay }),
    settings: ({ step, rateFactor, gradientScale }) => ({
      adamw: [
        learningRate * rateFactor,
        beta1,
        beta2,
        eps,
        weightDecay,
        1 - beta1 ** step,
        1 - beta2 ** step,
        gradientScale,
      ],
    }),
  };
}

export function sgdRule(settings: {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
}): UpdateRule {
  const { learningRate, momentum, nesterov, weightDecay } = settings;
  return {
    name: "sgd",
    kept: ["velocity"],
    scalars: { sgd: sgdScalars.length },
    update: ({ parameter, gradient, kept, scalars, decay }) =>
      sgd({ parameter, gradient, velocity: kept.velocity! }, scalars.sgd!, { decay, nesterov }),
    settings: ({ rateFactor, gradientScale }) => ({
      sgd: [learningRate * rateFactor, momentum, weightDecay, gradientScale],
    }),
  };
}

export function lionRule(settings: {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly weightDecay: number;
}): UpdateRule {
  const { learningRate, beta1, beta2, weightDecay } = settings;
  return {
    name: "lion",
    kept: ["mean"],
    scalars: { lion: lionScalars.length },
    update: ({ parameter, gradient, kept, scalars, decay }) =>
      lion({ parameter, gradient, mean: kept.mean! }, scalars.lion!, { decay }),
    settings: ({ rateFactor, gradientScale }) => ({
      lion: [learningRate * rateFactor, beta1, beta2, weightDecay, gradientScale],
    }),
  };
}
