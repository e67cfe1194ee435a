/** How the learning rate changes over a run: a factor on its peak at each step. */
import type { ResolvedSchedule } from "./options.js";

/**
 * The share of the peak rate at a step.
 * @param step - from 1 to `schedule.steps`; the peak is reached at step `warmupSteps`
 */
export function rateFactor(schedule: ResolvedSchedule, step: number): number {
  const { steps, warmupSteps } = schedule;
  if (step < warmupSteps) return step / warmupSteps;
  switch (schedule.kind) {
    case "constant":
      return 1;
    case "linear":
      return between(1, schedule.finalFraction, progress(step, warmupSteps, steps));
    case "cosine":
      return between(schedule.finalFraction, 1, 0.5 + 0.5 * Math.cos(Math.PI * progress(step, warmupSteps, steps)));
    case "inverse-sqrt":
      return Math.sqrt(warmupSteps / step);
    case "wsd": {
      const decaySteps = schedule.decaySteps ?? Math.ceil(steps / 5);
      return between(1, schedule.finalFraction, progress(step, steps - decaySteps, steps));
    }
  }
}

/** 0 at `first` and before, 1 at `last` and after. */
function progress(step: number, first: number, last: number): number {
  if (step >= last) return 1;
  return Math.max(0, (step - first) / (last - first));
}

function between(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
