/**
 * The optimizer of a run: which rule changes which parameter, the states that it keeps, and the two programs of a step:
 * the norm of the gradients, then the update.
 */
import type { Backend, Program, StateResource } from "../../backends/backend.js";
import { Graph } from "../../graph/graph.js";
import { movingAverage } from "../../graph/operations/optimizers/moving-average.js";
import { rowSquares } from "../../graph/operations/row-squares.js";
import type { Tensor } from "../../graph/tensor.js";
import { sizeOf } from "../../models/published-tensors.js";
import type { GradientNorms } from "../divergence.js";
import type { ResolvedOptimizer } from "../options.js";
import type { TrainableParameter } from "../trainable-model.js";
import { muonRule } from "./muon.js";
import type { StepSetting, UpdateRule } from "./rule.js";
import { adamWRule, lionRule, sgdRule } from "./rules.js";

/** Which rule is for a parameter. */
type Assignment = (parameter: TrainableParameter) => UpdateRule;

export interface OptimizerOptions {
  readonly optimizer: ResolvedOptimizer;
  /** Decay per step of a moving average of the weights; 0: none. */
  readonly weightAverage: number;
  readonly products: "f32" | "bf16";
}

export class Optimizer {
  /** What is kept between steps, by name: `optimizer.mean.blocks.0.…`. */
  readonly states = new Map<string, StateResource>();
  /** The moving averages by parameter name, where there are any. */
  readonly averages: Map<string, StateResource> | undefined;
  readonly #rules = new Map<string, UpdateRule>();
  readonly #scalars = new Map<string, Tensor>();
  readonly #decay: number;
  readonly #norms: { program: Program; rows: ReadonlyMap<string, Tensor> };
  readonly #update: Program;

  /** @param gradients - by parameter name: added to by the training program, set to zero by each step */
  constructor(
    backend: Backend,
    parameters: readonly TrainableParameter[],
    gradients: ReadonlyMap<string, StateResource>,
    options: OptimizerOptions,
  ) {
    this.#decay = options.weightAverage;
    this.averages = options.weightAverage > 0 ? new Map() : undefined;
    this.#norms = compileNorms(backend, parameters, gradients);
    this.#update = this.#compileUpdate(backend, parameters, gradients, options);
  }

  /** Bytes of what is kept per weight, without the averages. */
  get stateBytes(): number {
    return bytesOf(this.states);
  }

  get averageBytes(): number {
    return this.averages === undefined ? 0 : bytesOf(this.averages);
  }

  get arenaBytes(): number {
    return this.#norms.program.arenaBytes + this.#update.arenaBytes;
  }

  /** Makes the averages the weights as they are now: at the start of a run. */
  startAverages(parameters: readonly TrainableParameter[]): void {
    for (const { name, state } of parameters) this.averages?.get(name)?.data.set(state.data);
  }

  /** Norms of the gradients as they stand. Sums run over rows in order, in float64. */
  async norms(): Promise<GradientNorms> {
    const { program, rows } = this.#norms;
    await program.runAsync({});
    const byParameter = new Map<string, number>();
    let all = 0;
    for (const [name, tensor] of rows) {
      let sum = 0;
      for (const square of program.floats(tensor)) sum += square;
      byParameter.set(name, Math.sqrt(sum));
      all += sum;
    }
    return { total: Math.sqrt(all), byParameter };
  }

  /** Changes the weights by the gradients, and sets these to zero. */
  async update(setting: StepSetting): Promise<void> {
    for (const rule of this.#rules.values()) {
      for (const [name, values] of Object.entries(rule.settings(setting))) {
        this.#update.floats(this.#scalars.get(name)!).set(values);
      }
    }
    const average = this.#scalars.get("average");
    // The first averages forget sooner: they began with weights that nothing had been learned in.
    const { step } = setting;
    if (average !== undefined) this.#update.floats(average)[0] = Math.min(this.#decay, (1 + step) / (10 + step));
    await this.#update.runAsync({});
  }

  dispose(): void {
    this.#norms.program.dispose();
    this.#update.dispose();
    for (const state of this.states.values()) state.dispose();
    for (const state of this.averages?.values() ?? []) state.dispose();
  }

  #compileUpdate(
    backend: Backend,
    parameters: readonly TrainableParameter[],
    gradients: ReadonlyMap<string, StateResource>,
    { optimizer, products }: OptimizerOptions,
  ): Program {
    const graph = new Graph();
    const resources = new Map<string, StateResource>();
    const hold = (name: string, shape: readonly number[], state: StateResource): Tensor => {
      resources.set(name, state);
      return graph.state(name, shape);
    };
    const assign = assignment(optimizer);
    const outputs = parameters.flatMap((parameter) => {
      const { name, shape } = parameter;
      const rule = assign(parameter);
      const kept = rule.kept.map((kind) => {
        const full = `optimizer.${kind}.${name}`;
        const state = backend.allocateState(sizeOf(shape));
        this.states.set(full, state);
        return [kind, hold(full, shape, state)] as const;
      });
      const updated = rule.update({
        graph,
        parameter: hold(name, shape, parameter.state),
        gradient: hold(`gradients.${name}`, shape, gradients.get(name)!),
        kept: Object.fromEntries(kept),
        scalars: this.#scalarsOf(graph, rule),
        decay: decays(parameter) ? 1 : 0,
      });
      return [updated, ...this.#average(backend, graph, parameter, updated, hold)];
    });
    return backend.compile(graph, { resources, outputs, products });
  }

  #scalarsOf(graph: Graph, rule: UpdateRule): Record<string, Tensor> {
    this.#rules.set(rule.name, rule);
    const entries = Object.entries(rule.scalars).map(([name, length]) => {
      const tensor = this.#scalars.get(name) ?? graph.input(`scalars.${name}`, [length], "f32");
      this.#scalars.set(name, tensor);
      return [name, tensor] as const;
    });
    return Object.fromEntries(entries);
  }

  #average(
    backend: Backend,
    graph: Graph,
    { name, shape }: TrainableParameter,
    updated: Tensor,
    hold: (name: string, shape: readonly number[], state: StateResource) => Tensor,
  ): Tensor[] {
    if (this.averages === undefined) return [];
    const scalars = this.#scalars.get("average") ?? graph.input("scalars.average", [1], "f32");
    this.#scalars.set("average", scalars);
    const state = backend.allocateState(sizeOf(shape));
    this.averages.set(name, state);
    return [movingAverage(hold(`average.${name}`, shape, state), updated, scalars)];
  }
}

function bytesOf(states: ReadonlyMap<string, StateResource>): number {
  return [...states.values()].reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Norms and biases do not decay, nor do tables: rows of rare tokens would shrink between their occurrences. */
function decays({ name, shape }: TrainableParameter): boolean {
  return shape.length === 2 && !/(^|\.)(embedding|positions|relativeBias)\.weight$/.test(name);
}

/** Matrices inside blocks: what Muon is made for. */
function isHidden({ name, shape }: TrainableParameter): boolean {
  return shape.length === 2 && /(^|\.)blocks\.\d+\./.test(name);
}

function assignment(optimizer: ResolvedOptimizer): Assignment {
  switch (optimizer.kind) {
    case "adamw":
    case "adam": {
      const rule = adamWRule({ weightDecay: 0, ...optimizer });
      return () => rule;
    }
    case "sgd": {
      const rule = sgdRule(optimizer);
      return () => rule;
    }
    case "lion": {
      const rule = lionRule(optimizer);
      return () => rule;
    }
    case "muon": {
      const { adamwLearningRate, beta1, beta2, weightDecay } = optimizer;
      const hidden = muonRule(optimizer);
      const rest = adamWRule({ learningRate: adamwLearningRate, beta1, beta2, eps: 1e-8, weightDecay });
      return (parameter) => (isHidden(parameter) ? hidden : rest);
    }
  }
}

function compileNorms(
  backend: Backend,
  parameters: readonly TrainableParameter[],
  gradients: ReadonlyMap<string, StateResource>,
) {
  const graph = new Graph();
  const rows = new Map<string, Tensor>();
  const resources = new Map<string, StateResource>();
  for (const { name, shape } of parameters) {
    rows.set(name, rowSquares(graph.state(name, shape)));
    resources.set(name, gradients.get(name)!);
  }
  return { program: backend.compile(graph, { resources, outputs: [...rows.values()] }), rows };
}
