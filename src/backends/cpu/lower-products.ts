/** How products of plain matrices, spelled out by `products.ts`, become instructions. */
import type { Products } from "../../graph/operation.js";
import { activationKinds } from "../../graph/operations/activation.js";
import { capacityOf, type Node, rowWidth } from "../../graph/tensor.js";
import { addChunks, chunkBytes } from "./chunk-sums.js";
import type { FinishAttributes } from "./fuse-products.js";
import { matrixStorageIds, rowsArgument } from "./instructions.js";
import type { LoweringSite, NodeLowering } from "./lowering-site.js";
import type { LeftProductAttributes, PackAttributes, ProductAttributes } from "./products.js";

/** Memory that a thread packs its part of both operands into: HH_LEFT_BYTES of `kernels/product_left.c`. */
const leftBytes = 768 * 144 * 4 + 768 * 128 * 4 + 768 * 4;

/** Nanoseconds of one multiply-add, about: with AMX, and without. */
const nanoseconds: Readonly<Record<Products, number>> = { bf16: 0.002, f32: 0.015 };

const roundRows: NodeLowering<object> = {
  lower(site, node) {
    const [x] = node.inputs;
    const width = rowWidth(x!);
    site.writer.write("round_rows", site.rows(x!), width * 0.1, [site.at(node.output), site.at(x), width]);
  },
};

const packColumns: NodeLowering<PackAttributes> = {
  lower(site, node, { columns, terms, turned, products }) {
    const args = [site.at(node.output), site.at(node.inputs[0]), terms, turned ? 1 : 0, matrixStorageIds[products]];
    site.writer.write("pack_columns", { fixed: columns }, terms * 0.3, args);
  },
};

const modes: readonly FinishAttributes["mode"][] = ["stored", "activated", "sloped", "keeping", "kept"];

function lowerProduct(site: LoweringSite, node: Node, attributes: ProductAttributes): void {
  const { address, adds } = site.target(node.output);
  writeProduct(site, node, { ...attributes, bias: node.inputs[2], mode: "stored" }, address, adds ? address : 0);
}

function lowerFinished(site: LoweringSite, node: Node, attributes: FinishAttributes): void {
  const { columns, sums } = attributes;
  writeProduct(site, node, attributes, site.at(attributes.stored), site.at(attributes.sum));
  if (sums !== undefined) addChunks(site, node.inputs[0]!, [sums], columns);
}

/** Bytes of the sums of chunks of rows. */
function finishedScratch(node: Node): number {
  const { columns, sums } = node.attributes as FinishAttributes;
  return sums === undefined ? 0 : chunkBytes(node.inputs[0]!, columns);
}

/** @param c - where the product goes, 0: nowhere @param sum - what is added to it, 0: nothing */
function writeProduct(site: LoweringSite, node: Node, attributes: FinishAttributes, c: number, sum: number): void {
  const { columns, terms, products, mode, activation, bias, at, result, rounded, slopes, sums } = attributes;
  const [a, packed] = node.inputs;
  const kind = activation === undefined ? 0 : activationKinds.indexOf(activation);
  const args = [c, site.at(a), site.at(packed), site.at(bias), columns, terms, matrixStorageIds[products]];
  args.push(sum, modes.indexOf(mode), kind, site.at(at), site.at(result), site.at(rounded), site.at(slopes));
  args.push(sums === undefined ? 0 : site.scratch);
  site.writer.write("product", site.rows(a!), columns * terms * nanoseconds[products], args);
}

const productLeft: NodeLowering<LeftProductAttributes> = {
  adds: "all",
  scratchBytes: (_node, threads) => threads * leftBytes,
  lower(site, node, { rows, columns, products, sums }) {
    const [a, b] = node.inputs;
    const { address, adds } = site.target(node.output);
    const terms = site.rows(a!);
    const args = [address, site.at(a), site.at(b), columns, rowsArgument(terms)];
    args.push(matrixStorageIds[products], adds ? 1 : 0, site.scratch);
    const sumsTarget = sums === undefined ? { address: 0, adds: false } : site.target(sums);
    args.push(sumsTarget.address, sumsTarget.adds ? 1 : 0);
    const cost = columns * capacityOf(a!.shape[0]!) * nanoseconds[products];
    site.writer.write("product_left", { fixed: rows }, cost, args);
  },
};

export const productLowerings: Readonly<Record<string, NodeLowering>> = {
  "round-rows": roundRows,
  "pack-columns": packColumns,
  "plain-linear": { lower: lowerProduct },
  product: { lower: lowerProduct, adds: "all" },
  "finished-product": { lower: lowerFinished, adds: "vectors", scratchBytes: finishedScratch },
  "product-left": productLeft,
};
