/**
 * Attention among the rows of a run reads and writes bfloat16 where a processor has matrix units: queries, keys, values and
 * the gradient of its result come rounded from the products that compute them, and gradients go rounded to the products
 * that read them. Matrix units round all of these anyway; what is gained is half the memory that is crossed.
 *
 * Sums of the columns of such gradients, which biases want, are taken of the rounded ones, by the product that reads them.
 */
import { type Node, rowWidth, type Tensor } from "../../graph/tensor.js";
import { type LeftProductAttributes, roundedStride } from "./products.js";

/** Bits of operands and results, as `kernels/sequence_attention.h` numbers them. */
const operandBits = { query: 1, key: 2, value: 4, dy: 8 } as const;
/** Of the results of the gradient; the first has an argument of its own. */
const resultBits = [0, 16, 32] as const;

/** What of an attention's operands and results is bfloat16: a sum of these bits. */
export function roundedBits({ attributes }: Node): number {
  return (attributes as { halves?: number }).halves ?? 0;
}

/**
 * @param nodes - in order of running, products in bfloat16 spelled out
 * @param outputs - results that are read after a run
 */
export function roundAttention(nodes: readonly Node[], outputs: readonly Tensor[]): Node[] {
  const rounding = new Rounding(nodes, new Set(outputs));
  for (const node of nodes) if (node.operation === "sequence-attention-gradient") rounding.results(node);
  for (const node of nodes) rounding.operand(node);
  return rounding.nodes();
}

class Rounding {
  readonly #readers = new Map<Tensor, Node[]>();
  /** What stands in the place of a node. */
  readonly #instead = new Map<Node, readonly Node[]>();
  /** The rounded form of an operand. */
  readonly #rounded = new Map<Tensor, Tensor>();

  constructor(
    readonly all: readonly Node[],
    readonly outputs: ReadonlySet<Tensor>,
  ) {
    for (const node of all)
      for (const input of new Set(node.inputs)) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node]);
  }

  nodes(): Node[] {
    return this.all.flatMap((node) => this.#instead.get(node) ?? [node]).map((node) => this.#withOperands(node));
  }

  /** Rounds what a product computes for attention alone. */
  operand(product: Node): void {
    const { output, operation } = product;
    if (operation !== "plain-linear" && operation !== "product") return;
    const readers = this.#readers.get(output) ?? [];
    const isOperand = readers.length > 0 && readers.every((reader) => bitOf(reader, output) !== undefined);
    if (!isOperand || this.outputs.has(output) || rowWidth(output) % 32 !== 0) return;
    const node = roundingOf(output, product);
    this.#rounded.set(output, node.output);
    this.#instead.set(product, [product, node]);
  }

  /** Rounds the gradients that go to products, and to sums of columns, alone. */
  results(gradient: Node): void {
    const outputs = [...gradient.outputs];
    let halves = roundedBits(gradient);
    for (const [index, bit] of resultBits.entries()) {
      const round = this.#takeReaders(outputs[index]!);
      if (round === undefined) continue;
      outputs[index] = round.output;
      halves |= bit;
    }
    const rounded = outputs[0] !== gradient.outputs[0] || (gradient.attributes as { rounded?: boolean }).rounded;
    const attributes = { ...gradient.attributes, rounded, halves };
    this.#instead.set(gradient, [{ ...gradient, attributes, outputs, output: outputs[0]! }]);
  }

  /** The node that rounds a result, if no more is wanted of it; it is not needed any more, nor are sums of columns. */
  #takeReaders(result: Tensor): Node | undefined {
    const readers = this.#readers.get(result) ?? [];
    const round = readers.find(({ operation }) => operation === "round-rows");
    const others = readers.filter((reader) => reader !== round);
    if (round === undefined || this.outputs.has(result) || rowWidth(result) % 32 !== 0) return undefined;
    if (others.length > 1 || (others[0] !== undefined && !this.#moveSums(others[0], round))) return undefined;
    this.#instead.set(round, []);
    return round;
  }

  /** Lets the product that has the rounded rows on its left sum their columns. */
  #moveSums(sums: Node, { output: rounded }: Node): boolean {
    const product = this.all.find(({ operation, inputs }) => operation === "product-left" && inputs[0] === rounded);
    if (sums.operation !== "column-sums" || product === undefined || this.#instead.has(product)) return false;
    const readers = this.#readers.get(sums.output) ?? [];
    if (readers.some((reader) => this.all.indexOf(reader) < this.all.indexOf(product))) return false;
    this.#instead.set(sums, []);
    const attributes: LeftProductAttributes = { ...(product.attributes as LeftProductAttributes), sums: sums.output };
    this.#instead.set(product, [{ ...product, attributes, outputs: [...product.outputs, sums.output] }]);
    return true;
  }

  #withOperands(node: Node): Node {
    const bits = node.inputs.map((input) => (this.#rounded.has(input) ? (bitOf(node, input) ?? 0) : 0));
    const halves = bits.reduce((all, bit) => all | bit, roundedBits(node));
    if (halves === roundedBits(node)) return node;
    const inputs = node.inputs.map((input) => this.#rounded.get(input) ?? input);
    return { ...node, inputs, attributes: { ...node.attributes, halves } };
  }
}

/** Which operand of an attention a tensor is; undefined where it is none of those that may be rounded, or two. */
function bitOf({ operation, inputs }: Node, tensor: Tensor): number | undefined {
  const [query, key, value] = inputs;
  const named = { query, key, value, dy: operation.endsWith("gradient") ? inputs.at(-1) : undefined };
  if (!operation.startsWith("sequence-attention")) return undefined;
  if (inputs.filter((input) => input === tensor).length !== 1) return undefined;
  const names = Object.keys(operandBits) as (keyof typeof operandBits)[];
  const name = names.find((each) => named[each] === tensor);
  return name && operandBits[name];
}

function roundingOf(x: Tensor, { scope }: Node): Node {
  const node = { operation: "round-rows", inputs: [x], attributes: {}, scope } as unknown as {
    -readonly [K in keyof Node]: Node[K];
  };
  const { graph, id, name } = x;
  const shape = [x.shape[0]!, roundedStride(rowWidth(x)) / 2];
  const output: Tensor = { graph, id, name, shape, type: "f32", origin: { kind: "result", node } };
  node.outputs = [output];
  node.output = output;
  return node;
}
