/**
 * Results that only products of bfloat16 read are rounded by what computes them, instead of being written in float32,
 * read again and rounded; and a loss is computed along with its gradient, which goes over the same logits.
 *
 * Memory is what training waits for most: each of these saves two or three crossings of a large matrix.
 */
import { type Node, rowWidth, type Tensor } from "../../graph/tensor.js";

/** Operations that can round their first result. */
const roundable: ReadonlySet<string> = new Set([
  "sequence-attention",
  "sequence-attention-gradient",
  "cross-entropy-gradient",
]);

/** Whether the first result of a node is rounded by the node itself. */
export function roundsFirst({ attributes }: Node): boolean {
  return (attributes as { rounded?: boolean }).rounded ?? false;
}

/**
 * @param nodes - in order of running, products spelled out
 * @param outputs - results that are read after a run
 */
export function roundResults(nodes: readonly Node[], outputs: readonly Tensor[]): Node[] {
  const readers = readersOf(nodes);
  const replaced = new Set<Node>();
  const rounding = nodes.map((node) => {
    const [first, ...rest] = node.outputs;
    const [reader, ...others] = readers.get(first!) ?? [];
    if (!roundable.has(node.operation) || outputs.includes(first!)) return node;
    // Kernels write no zeros behind a row.
    if (reader?.operation !== "round-rows" || others.length > 0 || rowWidth(first!) % 32 !== 0) return node;
    replaced.add(reader);
    const { output } = reader;
    return { ...node, attributes: { ...node.attributes, rounded: true }, outputs: [output, ...rest], output };
  });
  return rounding.filter((node) => !replaced.has(node));
}

/** Puts losses into the instruction of their gradient, as its second result, where nothing reads them before. */
export function joinLosses(nodes: readonly Node[]): Node[] {
  const joined = new Map<Node, Node>();
  for (const [index, loss] of nodes.entries()) {
    if (loss.operation !== "cross-entropy") continue;
    const at = nodes.findIndex((node) => isGradientOf(node, loss));
    const between = nodes.slice(index + 1, at + 1);
    if (at > index && !joined.has(nodes[at]!) && !between.some(({ inputs }) => inputs.includes(loss.output)))
      joined.set(nodes[at]!, loss);
  }
  const gone = new Set(joined.values());
  return nodes
    .filter((node) => !gone.has(node))
    .map((node) => {
      const loss = joined.get(node);
      return loss === undefined ? node : { ...node, outputs: [...node.outputs, loss.output] };
    });
}

function isGradientOf({ operation, inputs, attributes }: Node, loss: Node): boolean {
  if (operation !== "cross-entropy-gradient" || inputs[0] !== loss.inputs[0] || inputs[1] !== loss.inputs[1])
    return false;
  return JSON.stringify(attributes) === JSON.stringify(loss.attributes);
}

function readersOf(nodes: readonly Node[]): Map<Tensor, Node[]> {
  const readers = new Map<Tensor, Node[]>();
  for (const node of nodes) for (const input of node.inputs) readers.set(input, [...(readers.get(input) ?? []), node]);
  return readers;
}
