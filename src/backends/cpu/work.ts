/**
 * What an instruction has to move and to compute at the least: each matrix, row and cached position counted once,
 * however often a kernel comes back to it. A profile divides these by time and sets them beside the machine's limits.
 */
import type { AttentionAttributes } from "../../graph/operations/attention.js";
import { cacheBlockWords } from "../../graph/operations/cache-codecs.js";
import { capacityElements, type Extent, type Node, rowWidth, type Tensor } from "../../graph/tensor.js";
import { cacheBlockSize, type OperationId, quantizedRowBytes } from "./instructions.js";
import type { LeftProductAttributes, PackAttributes, ProductAttributes } from "./products.js";

export interface Work {
  /** Bytes read and written. */
  readonly bytes: number;
  /** Multiplications and additions; undefined where they are beside the point. */
  readonly operations: number | undefined;
}

/** What of a program decides how much work there is. */
export interface Operands {
  /** Bytes of a parameter, as it is stored. */
  bytesOf(parameter: Tensor): number;
  /** An input's numbers in the run at hand. */
  integers(input: Tensor): Int32Array;
  /** The size of an extent in the run at hand. */
  sizeOf(extent: Extent): number;
}

/** The work of one instruction in one run. @param node - what it belongs to: its own node, or that which needs it */
export function workOf(operation: OperationId, node: Node, rows: number, operands: Operands): Work {
  if (operation.startsWith("linear_")) return linearWork(node, rows, operands);
  switch (operation) {
    case "quantize_rows": {
      const width = rowWidth(node.inputs[0]!);
      return { bytes: rows * (4 * width + quantizedRowBytes(width)), operations: undefined };
    }
    case "embedding": {
      const [table] = node.inputs;
      const rowBytes = (operands.bytesOf(table!) / capacityElements(table!)) * rowWidth(table!);
      return { bytes: rows * (rowBytes + 4 * rowWidth(node.output)), operations: undefined };
    }
    case "round_rows":
      return { bytes: rows * 6 * rowWidth(node.inputs[0]!), operations: undefined };
    case "pack_columns": {
      const { terms, products } = node.attributes as PackAttributes;
      return { bytes: rows * terms * (4 + bytesOfProducts[products]), operations: undefined };
    }
    case "product":
      return productWork(node.attributes as ProductAttributes, rows);
    case "product_left":
      return leftProductWork(node, rows, operands);
    case "cache_write":
      return { bytes: rows * cacheWriteBytes(node), operations: undefined };
    case "attention":
    case "attention_weights":
      return attentionWork(node, rows, operands);
    default:
      return { bytes: 4 * rows * activations(node), operations: undefined };
  }
}

/** Of one factor. */
const bytesOfProducts = { f32: 4, bf16: 2 } as const;

function productWork({ columns, terms, products }: ProductAttributes, rows: number): Work {
  const factors = rows * terms + terms * columns;
  return { bytes: factors * bytesOfProducts[products] + 4 * rows * columns, operations: 2 * rows * columns * terms };
}

/** @param rows - of the result: columns of what is summed over */
function leftProductWork({ inputs, attributes }: Node, rows: number, operands: Operands): Work {
  const { columns, products } = attributes as LeftProductAttributes;
  const terms = operands.sizeOf(inputs[0]!.shape[0]!);
  const factors = terms * (rows + columns);
  return { bytes: factors * bytesOfProducts[products] + 4 * rows * columns, operations: 2 * rows * columns * terms };
}

function linearWork({ inputs, output }: Node, rows: number, operands: Operands): Work {
  const [x, weight] = inputs;
  const [width, out] = [rowWidth(x!), rowWidth(output)];
  return { bytes: operands.bytesOf(weight!) + 4 * rows * (width + out), operations: 2 * rows * out * width };
}

/** Of one row. */
function cacheWriteBytes({ inputs: [cache, x] }: Node): number {
  return 4 * rowWidth(x!) + (4 * rowWidth(cache!)) / cacheBlockSize;
}

/** Keys and values of a sequence are read once for all the tokens that see them. */
function attentionWork({ inputs, attributes, output }: Node, rows: number, operands: Operands): Work {
  const [query, , , , sequences, visible] = inputs;
  const { headCount, keyValueHeadCount, headDim, window, keyCodec, valueCodec } = attributes as AttentionAttributes;
  const [of, sees] = [operands.integers(sequences!), operands.integers(visible!)];
  const spans = new Map<number, { from: number; to: number }>();
  let scores = 0;
  for (let row = 0; row < rows; row++) {
    const to = sees[row]!;
    const from = window > 0 ? Math.max(0, to - window) : 0;
    scores += to - from;
    const span = spans.get(of[row]!) ?? { from, to };
    spans.set(of[row]!, { from: Math.min(from, span.from), to: Math.max(to, span.to) });
  }
  const cached = [...spans.values()].reduce((sum, { from, to }) => sum + to - from, 0);
  const words = [keyCodec, valueCodec].reduce(
    (sum, each) => sum + cacheBlockWords(each, keyValueHeadCount, headDim),
    0,
  );
  const bytes = (4 * words * cached) / cacheBlockSize + 4 * rows * (rowWidth(query!) + rowWidth(output));
  return { bytes, operations: 4 * scores * headCount * headDim };
}

/** Numbers in a row of everything that a node reads or writes row by row. */
function activations({ inputs, outputs }: Node): number {
  const moving = [...outputs, ...inputs].filter(({ origin }) => origin.kind === "result" || origin.kind === "input");
  return moving.reduce((sum, tensor) => sum + rowWidth(tensor), 0);
}
