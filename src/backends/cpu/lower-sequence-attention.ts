/** How attention among the rows of a run and its gradient, and the loss and its gradient, become instructions. */
import type { Products } from "../../graph/operation.js";
import type { CrossEntropyAttributes } from "../../graph/operations/cross-entropy.js";
import type { SequenceAttentionAttributes as Attributes } from "../../graph/operations/sequence-attention.js";
import { capacityElements, capacityOf, type Node, rowWidth } from "../../graph/tensor.js";
import { floatBits, rowsArgument } from "./instructions.js";
import type { LoweringSite, NodeLowering } from "./lowering-site.js";
import { roundedBits } from "./rounded-attention.js";
import { roundsFirst } from "./rounded-results.js";

/** `products.ts` adds how products are computed: on matrix units in bfloat16, else in float32 whatever it says. */
type SequenceAttentionAttributes = Attributes & { readonly products: Products };

/** Queries of a tile: HH_SEQUENCE_ROWS of `kernels/sequence_attention.h`. */
const tileQueries = 32;
/** Keys are padded to multiples of this many: HH_SEQUENCE_KEYS. */
const tileKeys = 32;
/** Tiles that are added to the gradients of keys together: HH_SEQUENCE_SLOTS of `kernels/sequence_attention_amx.h`. */
const tileSlots = 4;
/** Bytes of a `sequence_span`. */
const spanBytes = 24;

export const sequenceAttentionLowerings: Readonly<Record<string, NodeLowering>> = {
  "sequence-attention": { lower: lowerAttention, scratchBytes },
  "sequence-attention-gradient": { lower: lowerGradient, scratchBytes },
  "cross-entropy": { lower: lowerCrossEntropy },
  "cross-entropy-gradient": { lower: lowerCrossEntropyGradient, scratchBytes: lossBytes },
};

function scratchBytes(node: Node, threads: number): number {
  return threads * threadBytes(node);
}

/** What a thread needs, as `sequence_arguments` lays it out: in proportion to the keys, never to their square. */
function threadBytes({ inputs, attributes }: Node): number {
  const { headDim, softCap } = attributes as SequenceAttentionAttributes;
  const keys = Math.ceil((capacityOf(inputs[1]!.shape[0]!) + tileKeys) / tileKeys) * tileKeys;
  const width = Math.ceil(headDim / 32) * 32;
  const lanes = 4 * tileQueries * (3 * width + (softCap > 0 ? 3 : 2) * keys);
  const spans = capacityOf(inputs[0]!.shape[0]!) * spanBytes;
  return Math.ceil((lanes + spans + matrixUnitBytes(keys, width)) / 64 + 40) * 64;
}

/** Bytes of operands in bfloat16 and of sums, as `sequence_amx_take` lays them out. */
function matrixUnitBytes(keys: number, width: number): number {
  const slot = 2 * 2 * tileQueries * (keys + width);
  return 2 * (3 * keys * width + tileQueries * (width + keys)) + 4 * 2 * keys * width + tileSlots * slot;
}

function lowerAttention(site: LoweringSite, node: Node, attributes: SequenceAttentionAttributes): void {
  const cost = rowCost(node, attributes);
  site.writer.write("sequence_attention", site.rows(node.output), cost, attentionArguments(site, node, 0, attributes));
}

function lowerGradient(site: LoweringSite, node: Node, attributes: SequenceAttentionAttributes): void {
  const [, dkey, dvalue, dbias] = node.outputs;
  const args = attentionArguments(site, node, 1, attributes);
  args.push(...[node.inputs.at(-1), dkey, dvalue, dbias].map((tensor) => site.at(tensor)));
  args.push(dbias === undefined ? 0 : capacityElements(dbias) / attributes.headCount);
  // Keys have gradients also where there is no row of queries.
  const cost = 2.5 * rowCost(node, attributes) * capacityOf(node.output.shape[0]!);
  site.writer.write("sequence_attention_gradient", { fixed: 1 }, cost, args);
}

/** @param others - inputs that follow those of the forward operation */
function attentionArguments(site: LoweringSite, node: Node, others: number, a: SequenceAttentionAttributes): number[] {
  const operands = node.inputs.slice(0, node.inputs.length - others);
  const reach = operands.length > 5 ? (capacityElements(operands[6]!) - 1) / 2 : 0;
  const keyRows = operands[1]!.shape[0]!;
  const args = [node.output, ...Array.from({ length: 8 }, (_, i) => operands[i])].map((tensor) => site.at(tensor));
  args.push(reach, a.headCount, a.keyValueHeadCount, a.headDim, floatBits(a.scale), floatBits(a.softCap), a.window);
  args.push(rowsArgument(site.rows(node.output)), rowsArgument(site.rows(operands[1]!)), capacityOf(keyRows));
  args.push(site.scratch, threadBytes(node), a.products === "bf16" ? 1 : 0, roundsFirst(node) ? 1 : 0);
  return [...args, roundedBits(node)];
}

/** A guess: how much a row sees is known only at each run. */
function rowCost({ inputs }: Node, { headCount, headDim, window }: SequenceAttentionAttributes): number {
  const seen = Math.min(capacityOf(inputs[1]!.shape[0]!), window > 0 ? window : 256) / 2;
  return headCount * (50 + headDim * seen * 0.03);
}

function lowerCrossEntropy(site: LoweringSite, node: Node, attributes: CrossEntropyAttributes): void {
  site.writer.write("cross_entropy", site.rows(node.output), lossCost(node), lossArguments(site, node, attributes));
}

function lowerCrossEntropyGradient(site: LoweringSite, node: Node, attributes: CrossEntropyAttributes): void {
  const [, losses] = node.outputs;
  const args = [...lossArguments(site, node, attributes), site.at(node.inputs[2]), site.at(losses)];
  args.push(roundsFirst(node) ? site.scratch : 0, rowWidth(node.inputs[0]!) * 4);
  site.writer.write("cross_entropy_gradient", site.rows(node.inputs[0]!), lossCost(node), args);
}

/** A row of exponentials for each thread, where gradients are rounded. */
function lossBytes({ inputs }: Node, threads: number): number {
  return threads * (rowWidth(inputs[0]!) * 4 + 64);
}

function lossArguments(site: LoweringSite, node: Node, { labelSmoothing, zLoss }: CrossEntropyAttributes): number[] {
  const [logits, targets] = node.inputs;
  const args = [node.output, logits, targets].map((tensor) => site.at(tensor));
  return [...args, rowWidth(logits!), floatBits(labelSmoothing), floatBits(zLoss)];
}

function lossCost({ inputs }: Node): number {
  return 30 + rowWidth(inputs[0]!) * 0.4;
}
