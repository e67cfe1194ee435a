/**
 * Turns a graph into a larger graph: gradients are ordinary nodes, which the planner places and every backend runs.
 *
 * Reverse accumulation: nodes are visited from the last to the first, each handing the gradient of its result on to its
 * inputs by the rule that stands beside its definition. See docs/adr/0011-gradients-are-nodes.md.
 */
import { assert, HithertoError } from "../core/errors.js";
import { accumulate } from "./operations/accumulate.js";
import { add, requireSameShape } from "./operations/add.js";
import { operations } from "./operations/index.js";
import { neededNodes } from "./plan.js";
import { capacityElements, capacityOf, type Node, type Tensor } from "./tensor.js";

/** A gradient was asked for through an operation that has none. */
export class NoGradientError extends HithertoError {
  readonly code = "NO_GRADIENT";

  constructor(readonly operation: string) {
    super(`${operation} cannot be differentiated: it has no place in what is trained`);
  }
}

export interface DifferentiateOptions {
  /**
   * Scopes, such as `blocks.0.`, whose results are not kept for the backward pass but computed again from what enters
   * the scope. Memory falls to one scope's results at a time, for the price of computing them twice; gradients keep
   * their bits. Chen et al., 2016 (arXiv:1604.06174). Default: none.
   */
  readonly recompute?: readonly string[];
}

/**
 * Gradients of Σ seed ∘ y.
 *
 * @param y - [n, width], such as the losses of rows
 * @param seed - the gradient of y, in its shape: the weight of each row's loss
 * @param wrt - tensors of any kind, results included
 * @returns the gradient of each of `wrt`, in its shape; those that y does not depend on are absent
 * @throws NoGradientError
 */
export function differentiate(
  y: Tensor,
  seed: Tensor,
  wrt: readonly Tensor[],
  options: DifferentiateOptions = {},
): Map<Tensor, Tensor> {
  const gradients = new BackwardPass(y, seed, wrt, options).run();
  return new Map(wrt.flatMap((tensor) => (gradients.has(tensor) ? [[tensor, gradients.get(tensor)!]] : [])));
}

/**
 * Adds the gradients of Σ seed ∘ y to states named `gradients.<parameter>`, each contribution as soon as it is known, so
 * that a backend may compute it straight into the state.
 *
 * @param parameters - sources, not results
 * @returns the states after the sums, by parameter: outputs for a program that is to have these effects
 * @throws NoGradientError
 */
export function accumulateGradients(
  y: Tensor,
  seed: Tensor,
  parameters: readonly Tensor[],
  options: DifferentiateOptions = {},
): Map<Tensor, Tensor> {
  const states = new Map<Tensor, Tensor>();
  const take = (parameter: Tensor, contribution: Tensor): void => {
    const shape = parameter.shape.map(capacityOf);
    const state = states.get(parameter) ?? y.graph.state(gradientName(parameter.name), shape);
    states.set(parameter, accumulate(state, contribution));
  };
  new BackwardPass(y, seed, parameters, options, take).run();
  return states;
}

/** The name of the state that a parameter's gradient is summed in. */
export function gradientName(parameter: string): string {
  return `gradients.${parameter}`;
}

class BackwardPass {
  readonly #nodes: readonly Node[];
  readonly #gradients = new Map<Tensor, Tensor>();
  /** Tensors whose gradient somebody wants, or that lie on the way to one. */
  readonly #wanted: Set<Tensor>;
  /** Results of scopes that are computed again, and what stands for them in the backward pass. */
  readonly #again = new Map<string, ReadonlyMap<Tensor, Tensor>>();

  constructor(
    readonly y: Tensor,
    readonly seed: Tensor,
    readonly wrt: readonly Tensor[],
    readonly options: DifferentiateOptions,
    /** Takes the contributions to the gradients of `wrt`; unless given, they are summed. */
    readonly take?: (tensor: Tensor, contribution: Tensor) => void,
  ) {
    requireSameShape("seed", y, seed);
    for (const tensor of wrt) assert(tensor.graph === y.graph, `${tensor.name}: a tensor of another graph`);
    this.#nodes = neededNodes([y]);
    this.#wanted = new Set(wrt);
    for (const { inputs, outputs } of this.#nodes) {
      if (inputs.some((input) => this.#wanted.has(input))) for (const output of outputs) this.#wanted.add(output);
    }
  }

  run(): ReadonlyMap<Tensor, Tensor> {
    if (this.#wanted.has(this.y)) this.#contribute(this.y, this.seed);
    for (const node of this.#nodes.toReversed()) {
      const dy = this.#gradients.get(node.output);
      if (dy !== undefined && node.inputs.some((input) => this.#wanted.has(input))) this.#passOn(node, dy);
    }
    return this.#gradients;
  }

  #passOn(node: Node, dy: Tensor): void {
    const { operation, attributes } = node;
    const rule = operations.get(operation)?.gradient;
    if (rule === undefined) throw new NoGradientError(operation);
    const scope = this.options.recompute?.find((prefix) => node.scope.startsWith(prefix));
    const again = scope === undefined ? undefined : this.#computedAgain(scope);
    const inputs = node.inputs.map((input) => again?.get(input) ?? input);
    const output = again?.get(node.output) ?? node.output;
    const gradients = rule({ inputs, output, attributes: attributes as never, dy });
    for (const [index, gradient] of gradients.entries()) {
      const input = node.inputs[index]!;
      if (gradient !== undefined && this.#wanted.has(input)) this.#contribute(input, gradient);
    }
  }

  #contribute(tensor: Tensor, contribution: Tensor): void {
    assert(capacityElements(tensor) === capacityElements(contribution), `gradient of ${tensor.name}: another shape`);
    if (this.take !== undefined && tensor.origin.kind !== "result") {
      this.take(tensor, contribution);
      return;
    }
    const sum = this.#gradients.get(tensor);
    this.#gradients.set(tensor, sum === undefined ? contribution : add(sum, contribution));
  }

  /** Writes the nodes of a scope once more; those that no rule asks for are not planned. */
  #computedAgain(scope: string): ReadonlyMap<Tensor, Tensor> {
    const known = this.#again.get(scope);
    if (known !== undefined) return known;
    const again = new Map<Tensor, Tensor>();
    this.#again.set(scope, again);
    for (const node of this.#nodes) {
      if (!node.scope.startsWith(scope)) continue;
      const inputs = node.inputs.map((input) => again.get(input) ?? input);
      const outputs = this.y.graph.applyMany(node.operation, inputs, node.attributes, node.outputs);
      for (const [index, output] of node.outputs.entries()) again.set(output, outputs[index]!);
    }
    return again;
  }
}
