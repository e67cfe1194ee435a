/**
 * Which results are added to a state at once by what computes them, instead of being written, read again and added:
 * gradients of parameters, mostly.
 */
import { memoryOf, type Plan } from "../../graph/plan.js";
import type { Node, Tensor } from "../../graph/tensor.js";

export interface Accumulations {
  /** For a result that has no other reader: the state that it is added to. */
  readonly into: ReadonlyMap<Tensor, Tensor>;
  /** The `accumulate` nodes that are done so. */
  readonly absorbed: ReadonlySet<Node>;
}

/** @param adds - whether the instruction of a node can add a result of it to what is there */
export function findAccumulations(plan: Plan, adds: (node: Node, result: Tensor) => boolean): Accumulations {
  /* By result: a plan may hold other nodes for it than the graph. */
  const places = new Map(plan.nodes.flatMap((node, index) => node.outputs.map((output) => [output, index] as const)));
  const readers = new Map<Tensor, number>();
  for (const input of plan.nodes.flatMap((node) => node.inputs)) readers.set(input, (readers.get(input) ?? 0) + 1);
  const into = new Map<Tensor, Tensor>();
  const absorbed = new Set<Node>();
  for (const [index, node] of plan.nodes.entries()) {
    const [state, x] = node.inputs;
    const place = node.operation === "accumulate" ? places.get(x!) : undefined;
    if (place === undefined) continue;
    if (!adds(plan.nodes[place]!, x!) || readers.get(x!) !== 1 || plan.outputs.includes(x!)) continue;
    const memory = memoryOf(state!);
    const between = plan.nodes.slice(place, index);
    if (between.some(({ inputs }) => inputs.some((input) => memoryOf(input) === memory))) continue;
    into.set(x!, memory);
    absorbed.add(node);
  }
  return { into, absorbed };
}
