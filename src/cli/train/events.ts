/** What a training run tells those who watch it. */
import type { EvaluationMetrics, SampleMetrics, StepMetrics } from "./metrics.js";

/** A step, and how long the rest will take. */
export interface StepEvent extends StepMetrics {
  /** Until the last step, at the speed of the latest ones. */
  readonly secondsLeft: number;
}

export type TrainingEvent = StepEvent | EvaluationMetrics | SampleMetrics;

/** What is known before the first step. */
export interface RunFacts {
  readonly name: string;
  /** The run's folder. */
  readonly folder: string;
  /** Optimizer steps in all. */
  readonly steps: number;
  /** Steps done before, where the run is resumed. */
  readonly fromStep: number;
  /** Lines that say what learns, from how much, and what memory it takes. */
  readonly summary: readonly string[];
}
