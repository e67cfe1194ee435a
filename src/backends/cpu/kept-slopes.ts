/**
 * Slopes of an activation that are kept for its gradient. Where a product is activated and what was activated is read again
 * for the gradient alone, the slope there is computed by the way, rounded to bfloat16 as an operand of products is, and
 * kept instead: half the memory, which training waits for, and nothing to compute when the gradient comes.
 */
import type { Node, Tensor } from "../../graph/tensor.js";
import { type FinishAttributes, finishedNode } from "./fuse-products.js";
import { roundedStride } from "./products.js";

/**
 * @param nodes - products with what follows them (`fuse-products.ts`), in order of running
 * @param outputs - results that are read after a run
 */
export function keepSlopes(nodes: readonly Node[], outputs: readonly Tensor[]): readonly Node[] {
  const readers = new Map<Tensor, Node[]>();
  for (const node of nodes)
    for (const input of new Set(node.inputs)) readers.set(input, [...(readers.get(input) ?? []), node]);
  const kept = new Map<Tensor, Tensor>();
  for (const node of nodes) {
    const finish = finishWith(node, "activated");
    const before = finish?.stored;
    if (finish?.products !== "bf16" || before === undefined || outputs.includes(before)) continue;
    const wanting = readers.get(before) ?? [];
    if (wanting.length > 0 && wanting.every((reader) => readsSlopeAlone(reader, before)))
      kept.set(before, slopesOf(before, finish.columns));
  }
  return nodes.map((node) => withKept(node, kept));
}

function finishWith({ operation, attributes }: Node, mode: FinishAttributes["mode"]): FinishAttributes | undefined {
  const finish = operation === "finished-product" ? (attributes as FinishAttributes) : undefined;
  return finish?.mode === mode ? finish : undefined;
}

function readsSlopeAlone(reader: Node, before: Tensor): boolean {
  const finish = finishWith(reader, "sloped");
  const { inputs } = reader;
  return finish?.at === before && finish.sum !== before && inputs[0] !== before && finish.products === "bf16";
}

function slopesOf({ graph, id, name, shape, origin }: Tensor, columns: number): Tensor {
  return { graph, id, name, shape: [shape[0]!, roundedStride(columns) / 2], type: "f32", origin };
}

function withKept(node: Node, kept: ReadonlyMap<Tensor, Tensor>): Node {
  const activated = finishWith(node, "activated");
  const made = activated?.stored && kept.get(activated.stored);
  if (made !== undefined)
    return finishedNode(node, { ...activated!, mode: "keeping", stored: undefined, slopes: made }, node);
  const sloped = finishWith(node, "sloped");
  const slopes = sloped?.at && kept.get(sloped.at);
  if (slopes === undefined) return node;
  return finishedNode(node, { ...sloped!, mode: "kept", at: undefined, slopes }, node);
}
