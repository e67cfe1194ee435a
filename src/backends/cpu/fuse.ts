/**
 * Which neighbouring nodes of a plan become one instruction: a sum and the norm of it, and the quantization of what a
 * norm or an activation gives to quantized linear maps. Rows go through such a chain one by one and stay in the cache.
 * Linear maps of the same input that follow each other are one instruction too: threads then meet once.
 *
 * Everything that the nodes compute is still written where the plan says, unless nobody can look at it.
 */
import type { RmsNormAttributes } from "../../graph/operations/rms-norm.js";
import type { Plan } from "../../graph/plan.js";
import { capacityElements, capacityOf, type Node, type Tensor } from "../../graph/tensor.js";

/** A node, and what is done together with it. */
export interface Step {
  readonly node: Node;
  /** The sum that the norm `node` reads, computed with it. */
  readonly sum?: Node;
  /** More linear maps of the input that the linear map `node` reads. */
  readonly others: readonly Node[];
  /** The result is quantized too, for the linear maps that come next. */
  readonly quantizes: boolean;
  /** Nobody reads the result itself: only as many rows of it are kept as there are threads. */
  readonly discards: boolean;
}

/**
 * @param storageOf - how the matrix of a linear map is packed
 * @param takesQuantized - whether a node is a linear map that reads its input as quantized rows
 * @returns the plan's nodes in their order, each in one step
 */
export function fuseNodes(
  plan: Plan,
  storageOf: (tensor: Tensor) => string | undefined,
  takesQuantized: (node: Node) => boolean,
  threads: number,
): Step[] {
  const { nodes } = plan;
  const steps: Step[] = [];
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    const next = nodes[i + 1];
    if (node.operation === "add" && next !== undefined && isRowNorm(next) && mayFollow(plan, node, next)) {
      steps.push(stepOf(plan, ++i, node, takesQuantized, threads));
    } else if (node.operation === "linear") {
      const [x, weight] = node.inputs;
      const others: Node[] = [];
      for (let other = nodes[i + 1]; other?.operation === "linear"; other = nodes[i + 1]) {
        if (other.inputs[0] !== x || storageOf(other.inputs[1]!) !== storageOf(weight!)) break;
        others.push(other);
        i++;
      }
      steps.push({ node, others, quantizes: false, discards: false });
    } else {
      steps.push(stepOf(plan, i, undefined, takesQuantized, threads));
    }
  }
  return steps;
}

/** A norm over whole rows. */
function isRowNorm({ operation, attributes }: Node): boolean {
  if (operation === "rms-norm") return (attributes as RmsNormAttributes).groups === 1;
  return operation === "layer-norm";
}

/** Whether `norm` may be computed as soon as a row of `sum` is there: it must not overwrite rows yet to be added. */
function mayFollow(plan: Plan, sum: Node, norm: Node): boolean {
  if (norm.inputs[0] !== sum.output) return false;
  return sum.inputs.every((input) => input === norm.output || overlap(plan, input, norm.output) !== "partly");
}

function stepOf(
  plan: Plan,
  index: number,
  sum: Node | undefined,
  takesQuantized: (node: Node) => boolean,
  threads: number,
): Step {
  const node = plan.nodes[index]!;
  const { operation, output } = node;
  const activates = operation === "activation" || operation === "gated-activation";
  if (!activates && !isRowNorm(node)) return { node, others: [], quantizes: false, discards: false };
  const readers = plan.nodes.filter(({ inputs }) => inputs.includes(output));
  const last = plan.nodes.lastIndexOf(readers.at(-1) ?? node);
  const quantized = plan.nodes.slice(index + 1).filter(takesQuantized);
  const quantizes = quantized[0]?.inputs[0] === output;
  // Quantized rows have one place: those of another tensor would take it, and the result would be needed again.
  const alone = plan.nodes
    .slice(index + 1, last + 1)
    .every((each) => !takesQuantized(each) || each.inputs[0] === output);
  const unread = readers.every(takesQuantized) && !plan.outputs.includes(output);
  const operands = [...node.inputs, ...(sum?.inputs ?? [])];
  const apart = operands.every((operand) => overlap(plan, operand, output) === "none");
  const roomy = capacityOf(output.shape[0]!) >= threads;
  /* A norm leaves a row for each thread where its result would lie; an activation, nothing in the arena. */
  const discards = quantizes && alone && unread && (activates || (apart && roomy));
  return { node, sum, others: [], quantizes, discards };
}

/** How the places of two tensors in the arena lie to each other. */
function overlap(plan: Plan, a: Tensor, b: Tensor): "none" | "same" | "partly" {
  const [from, other] = [plan.offsets.get(a), plan.offsets.get(b)];
  if (from === undefined || other === undefined) return "none";
  const [bytes, otherBytes] = [4 * capacityElements(a), 4 * capacityElements(b)];
  if (from === other && bytes === otherBytes) return "same";
  return from < other + otherBytes && other < from + bytes ? "partly" : "none";
}
