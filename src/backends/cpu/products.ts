/**
 * Products of plain matrices, as the CPU computes them: what the operands are turned into first becomes nodes of its
 * own, so that it has a place in the arena, is made once for all who read it, and lives no longer than they need it.
 * Attention among the rows of a run is told how its products are to be computed.
 *
 * `round-rows`: rows in bfloat16. `pack-columns`: a right operand in panels. `product`, `plain-linear` (with or without
 * bias) and `product-left` read these. The layouts are in `kernels/round_rows.c` and `kernels/pack_columns.c`.
 */
import type { Products } from "../../graph/operation.js";
import { operations } from "../../graph/operations/index.js";
import type { MatmulAttributes } from "../../graph/operations/matmul.js";
import { memoryOf } from "../../graph/plan.js";
import { type Node, rowWidth, type Shape, type Tensor } from "../../graph/tensor.js";

export interface PackAttributes {
  readonly columns: number;
  /** Terms of a sum. */
  readonly terms: number;
  /** The operand lies turned, [columns, terms]. */
  readonly turned: boolean;
  readonly products: Products;
}

export interface ProductAttributes {
  readonly columns: number;
  readonly terms: number;
  readonly products: Products;
}

export interface LeftProductAttributes {
  readonly products: Products;
  /** Columns of the left operand, and of the right. */
  readonly rows: number;
  readonly columns: number;
  /** Of the columns of the left operand, as it is rounded. */
  readonly sums?: Tensor;
}

/** Elements of a panel's rows; terms are filled up to a multiple of twice as many where they are bfloat16. */
const panelColumns = 16;
const chunk = 32;

/** Bfloat16 from row to row as `round-rows` leaves them: `bfloat_stride` of `kernels/round_rows.c`. */
export function roundedStride(width: number): number {
  return (Math.ceil(width / chunk) | 1) * chunk;
}

/** 32-bit words of a packed right operand. */
function packedWords({ columns, terms, products }: PackAttributes): number {
  const panels = Math.ceil(columns / panelColumns);
  const words = products === "f32" ? terms : (Math.ceil(terms / chunk) * chunk) / 2;
  return panels * panelColumns * words;
}

/**
 * @param nodes - in order of running
 * @param isPlain - whether the matrix of a linear map lies in plain rows
 * @returns the same with every product of plain matrices spelled out
 */
export function spellOutProducts(
  nodes: readonly Node[],
  isPlain: (matrix: Tensor) => boolean,
  products: Products,
): Node[] {
  const spelling = new Spelling(products);
  for (const node of nodes) {
    if (node.operation === "matmul") spelling.matmul(node, node.attributes as MatmulAttributes);
    else if (node.operation === "linear" && isPlain(node.inputs[1]!)) spelling.linear(node);
    else if (node.operation.startsWith("sequence-attention")) spelling.attention(node);
    else spelling.keep(node);
  }
  return spelling.nodes;
}

/** Whether a node multiplies plain matrices, as it is spelled out. */
export function isProduct({ operation }: Node): boolean {
  return operation === "product" || operation === "plain-linear" || operation === "product-left";
}

class Spelling {
  readonly nodes: Node[] = [];
  /** What was made of an operand, by how: good until the operand is written to. */
  readonly #made = new Map<Tensor, Map<string, Tensor>>();

  constructor(readonly products: Products) {}

  keep(node: Node): void {
    this.nodes.push(node);
    const { writesInput, alsoWrites = [] } = operations.get(node.operation) ?? {};
    for (const written of [writesInput, ...alsoWrites]) {
      if (written !== undefined) this.#made.delete(memoryOf(node.inputs[written]!));
    }
  }

  /** Attention makes what it needs of its operands itself. */
  attention(node: Node): void {
    this.nodes.push({ ...node, attributes: { ...node.attributes, products: this.products } });
  }

  linear(node: Node): void {
    const [x, weight, bias] = node.inputs;
    this.#product(node, "plain-linear", x!, weight!, true, bias);
  }

  matmul(node: Node, { transposed }: MatmulAttributes): void {
    const [a, b] = node.inputs;
    if (transposed !== "left") {
      this.#product(node, "product", a!, b!, transposed === "right");
      return;
    }
    const inputs = [this.#rows(node, a!), this.#rows(node, b!)];
    const attributes = { products: this.products, rows: rowWidth(a!), columns: rowWidth(b!) };
    this.#replace(node, "product-left", inputs, attributes);
  }

  #product(node: Node, operation: string, a: Tensor, b: Tensor, turned: boolean, bias?: Tensor): void {
    const [columns, terms, products] = [rowWidth(node.output), rowWidth(a), this.products];
    const packed = this.#packed(node, b, { columns, terms, turned, products });
    const inputs = [this.#rows(node, a), packed, ...(bias === undefined ? [] : [bias])];
    this.#replace(node, operation, inputs, { columns, terms, products });
  }

  /** The node with other inputs, which gives what it gave. */
  #replace(node: Node, operation: string, inputs: readonly Tensor[], attributes: object): void {
    this.nodes.push({ ...node, operation, inputs, attributes });
  }

  /** Rows of an operand as products read them on their left. */
  #rows(node: Node, x: Tensor): Tensor {
    if (this.products === "f32") return x;
    const shape = [x.shape[0]!, roundedStride(rowWidth(x)) / 2];
    return this.#make("round-rows", node, x, shape, {});
  }

  #packed(node: Node, b: Tensor, attributes: PackAttributes): Tensor {
    return this.#make("pack-columns", node, b, [packedWords(attributes)], attributes);
  }

  /** What `operation` makes of an operand: by a node of its own, unless there is one. */
  #make(operation: string, { scope }: Node, operand: Tensor, shape: Shape, attributes: object): Tensor {
    const memory = memoryOf(operand);
    const known = this.#made.get(memory) ?? new Map<string, Tensor>();
    this.#made.set(memory, known);
    const key = `${operation} ${JSON.stringify(attributes)}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const node = { operation, inputs: [operand], attributes, scope } as unknown as {
      -readonly [K in keyof Node]: Node[K];
    };
    const { graph, name, id } = operand;
    const made: Tensor = { graph, id, name, shape, type: "f32", origin: { kind: "result", node } };
    node.outputs = [made];
    node.output = made;
    this.nodes.push(node);
    known.set(key, made);
    return made;
  }
}
