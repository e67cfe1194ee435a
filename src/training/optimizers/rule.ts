/** How an optimizer changes one parameter. */
import type { Graph } from "../../graph/graph.js";
import type { Tensor } from "../../graph/tensor.js";

/** What a step knows beside the gradients. */
export interface StepSetting {
  /** From 1 on. */
  readonly step: number;
  /** Share of the peak learning rate. */
  readonly rateFactor: number;
  /** Gradients are multiplied by this: less than one where they are clipped. */
  readonly gradientScale: number;
}

export interface UpdateTensors {
  readonly graph: Graph;
  /** All states: written by the update, the gradient set to zero. */
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** What the rule keeps for this parameter, by name. */
  readonly kept: Readonly<Record<string, Tensor>>;
  /** f32 vectors that the step fills, by name. */
  readonly scalars: Readonly<Record<string, Tensor>>;
  /** Whether the parameter decays. */
  readonly decay: 0 | 1;
}

export interface UpdateRule {
  readonly name: string;
  /** States of the parameter's shape that live on from step to step. */
  readonly kept: readonly string[];
  /** Lengths of the vectors of settings. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Adds the nodes of one parameter's step. @returns the parameter after it */
  update(tensors: UpdateTensors): Tensor;
  /** What the vectors hold in a step. */
  settings(setting: StepSetting): Readonly<Record<string, readonly number[]>>;
}
