/**
 * What follows a product of plain matrices and is done with it while a part of the result is near: a sum, an activation or
 * the gradient of one, sums of columns, and the rounding for products to come. What nobody else reads is then never written.
 *
 * Each element goes through what it would go through alone, in the same order: the bits are the same. The one exception is
 * in `kept-slopes.ts`.
 */
import type { ActivationAttributes, ActivationKind } from "../../graph/operations/activation.js";
import type { Node, Tensor } from "../../graph/tensor.js";
import type { ProductAttributes } from "./products.js";

/** What becomes of a product, as `product_finish` of `kernels/product_block.h`: results that are absent are not wanted. */
export interface FinishAttributes extends ProductAttributes {
  readonly bias?: Tensor;
  /** Added to the product. */
  readonly sum?: Tensor;
  readonly mode: "stored" | "activated" | "sloped" | "keeping" | "kept";
  readonly activation?: ActivationKind;
  /** What was activated, where the product is multiplied by the slope there. */
  readonly at?: Tensor;
  /** The product, with the sum. */
  readonly stored?: Tensor;
  /** Activated, or the gradient. */
  readonly result?: Tensor;
  readonly rounded?: Tensor;
  /** Slopes of the activation in bfloat16: a result where they are kept, an operand where they were. */
  readonly slopes?: Tensor;
  /** Of the columns of what is stored, or results. */
  readonly sums?: Tensor;
}

/** Terms of a sum up to which products are finished part by part; longer ones are crossed in stretches. */
const mostTerms = 2048;

/**
 * @param nodes - products spelled out (`products.ts`), in order of running
 * @param outputs - results that are read after a run
 */
export function fuseProducts(nodes: readonly Node[], outputs: readonly Tensor[]): readonly Node[] {
  const fusion = new Fusion(nodes, new Set(outputs));
  for (const node of nodes) if (node.operation === "add") fusion.takeSum(node);
  for (const node of nodes) fusion.finish(node);
  return fusion.nodes();
}

class Fusion {
  readonly #readers = new Map<Tensor, Node[]>();
  readonly #places = new Map<Node, number>();
  readonly #producers = new Map<Tensor, Node>();
  /** What stands in the place of a node; undefined: nothing. */
  readonly #instead = new Map<Node, Node | undefined>();

  constructor(
    readonly all: readonly Node[],
    readonly outputs: ReadonlySet<Tensor>,
  ) {
    for (const [place, node] of all.entries()) {
      this.#places.set(node, place);
      for (const output of node.outputs) this.#producers.set(output, node);
      for (const input of new Set(node.inputs)) this.#readers.set(input, [...(this.#readers.get(input) ?? []), node]);
    }
  }

  nodes(): readonly Node[] {
    return this.all.flatMap((node) => {
      const instead = this.#instead.has(node) ? this.#instead.get(node) : node;
      return instead === undefined ? [] : [instead];
    });
  }

  /** A sum of a product that nobody else reads, and something else. */
  takeSum(sum: Node): void {
    const places = sum.inputs.map((input) => this.#placeOfProduct(input));
    const which = places[0]! > places[1]! ? 0 : 1;
    const other = sum.inputs[1 - which]!;
    const product = this.#producers.get(sum.inputs[which]!);
    if (places[which]! < 0 || product === undefined || other === sum.inputs[which]) return;
    this.#instead.set(product, undefined);
    this.#instead.set(sum, finishedNode(sum, { ...finishOf(product), sum: other, stored: sum.output }, product));
  }

  #placeOfProduct(tensor: Tensor): number {
    const producer = this.#producers.get(tensor);
    const alone = this.#readers.get(tensor)?.length === 1 && !this.outputs.has(tensor);
    return producer !== undefined && alone && isProduct(producer) && !this.#instead.has(producer)
      ? this.#places.get(producer)!
      : -1;
  }

  /** What follows the product that is `node`, or stands in its place. */
  finish(node: Node): void {
    const product = this.#instead.has(node) ? this.#instead.get(node) : node;
    if (product === undefined || !(isProduct(product) || product.operation === "finished-product")) return;
    const finish = this.#rounding(this.#sums(this.#slope(this.#activation(finishOf(product)), node)));
    if (finish.result !== undefined || finish.rounded !== undefined || finish.sums !== undefined)
      this.#instead.set(node, finishedNode(node, finish, product));
  }

  #activation(finish: FinishAttributes): FinishAttributes {
    const next = this.#readersOf(finish.stored!).filter(({ operation }) => operation === "activation");
    if (next.length !== 1) return finish;
    const [node] = next as [Node];
    this.#instead.set(node, undefined);
    const { kind } = node.attributes as ActivationAttributes;
    return this.#unlessUnread({ ...finish, mode: "activated", activation: kind, result: node.output }, "stored", node);
  }

  #slope(finish: FinishAttributes, product: Node): FinishAttributes {
    const [node, ...others] = this.#readersOf(finish.stored);
    if (finish.mode !== "stored" || node?.operation !== "activation-gradient" || others.length > 0) return finish;
    const [at, dy] = node.inputs;
    const isKnown = this.#places.get(this.#producers.get(at!) ?? product)! < this.#places.get(product)!;
    if (dy !== finish.stored || at === dy || !isKnown || this.outputs.has(dy!)) return finish;
    this.#instead.set(node, undefined);
    const { kind } = node.attributes as ActivationAttributes;
    return { ...finish, mode: "sloped", activation: kind, at: at!, stored: undefined, result: node.output };
  }

  #sums(finish: FinishAttributes): FinishAttributes {
    const what = finish.mode === "stored" ? "stored" : "result";
    const node = this.#readersOf(finish[what]).find(({ operation }) => operation === "column-sums");
    if (node === undefined) return finish;
    this.#instead.set(node, undefined);
    return this.#unlessUnread({ ...finish, sums: node.output }, what, node);
  }

  #rounding(finish: FinishAttributes): FinishAttributes {
    const what = finish.mode === "stored" ? "stored" : "result";
    const node = this.#readersOf(finish[what]).find(({ operation }) => operation === "round-rows");
    if (node === undefined) return finish;
    this.#instead.set(node, undefined);
    return this.#unlessUnread({ ...finish, rounded: node.output }, what, node);
  }

  /** Without one of the results, if `reader` was the last that wanted it. */
  #unlessUnread(finish: FinishAttributes, what: "stored" | "result", reader: Node): FinishAttributes {
    const tensor = finish[what]!;
    const isTaken = (node: Node) => node === reader || (this.#instead.has(node) && node.operation === "column-sums");
    const wanted = this.outputs.has(tensor) || this.#readersOf(tensor).some((node) => !isTaken(node));
    return wanted ? finish : { ...finish, [what]: undefined };
  }

  #readersOf(tensor: Tensor | undefined): readonly Node[] {
    return (tensor && this.#readers.get(tensor)) ?? [];
  }
}

function isProduct({ operation, attributes }: Node): boolean {
  const fits = () => (attributes as ProductAttributes).terms <= mostTerms;
  return (operation === "product" || operation === "plain-linear") && fits();
}

function finishOf({ operation, attributes, inputs, output }: Node): FinishAttributes {
  if (operation === "finished-product") return attributes as FinishAttributes;
  return { ...(attributes as ProductAttributes), bias: inputs[2], mode: "stored", stored: output };
}

/** The node of a product with all that is done to it, in the place of another. */
export function finishedNode({ scope }: Node, attributes: FinishAttributes, { inputs: [a, packed] }: Node): Node {
  const { bias, sum, at, stored, result, rounded, slopes, sums, mode } = attributes;
  const inputs = [a, packed, bias, sum, at, mode === "kept" ? slopes : undefined].filter((t) => t !== undefined);
  const made = [stored, result, rounded, mode === "keeping" ? slopes : undefined, sums];
  const outputs = made.filter((tensor) => tensor !== undefined);
  return { operation: "finished-product", inputs, attributes, outputs, output: outputs[0]!, scope };
}
