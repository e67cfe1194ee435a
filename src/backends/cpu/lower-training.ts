/** How the operations of training become instructions. */
import { type ActivationAttributes, activationKinds } from "../../graph/operations/activation.js";
import type { DropoutAttributes } from "../../graph/operations/dropout.js";
import { dropoutScale, dropoutThreshold } from "../../graph/operations/dropout-hash.js";
import type { EmbeddingGradientAttributes } from "../../graph/operations/gradients/embedding-gradient.js";
import type { LayerNormGradientAttributes } from "../../graph/operations/gradients/layer-norm-gradient.js";
import type { RmsNormAttributes } from "../../graph/operations/rms-norm.js";
import type { SoftCapAttributes } from "../../graph/operations/soft-cap.js";
import { capacityElements, type Node, rowWidth, type Tensor } from "../../graph/tensor.js";
import { addChunks, chunkBytes } from "./chunk-sums.js";
import { floatBits, type OperationId, type RowCount, rowsArgument } from "./instructions.js";
import { productLowerings } from "./lower-products.js";
import { rowChainLowering } from "./lower-row-chain.js";
import { sequenceAttentionLowerings } from "./lower-sequence-attention.js";
import type { LoweringSite, NodeLowering } from "./lowering-site.js";

/** Of an instruction whose work is not in rows. */
const once: RowCount = { fixed: 1 };

export const trainingLowerings: Readonly<Record<string, NodeLowering>> = {
  "column-sums": { lower: lowerColumnSums, scratchBytes: (node) => chunkBytes(node.inputs[0]!), adds: "all" },
  "rms-norm-gradient": {
    lower: lowerRmsNormGradient,
    scratchBytes: (node) => chunkBytes(node.inputs[0]!),
    adds: "vectors",
  },
  "layer-norm-gradient": {
    lower: lowerLayerNormGradient,
    scratchBytes: (node) => 2 * chunkBytes(node.inputs[0]!),
    adds: "vectors",
  },
  "log-sum-exp-gradient": { lower: lowerLogSumExpGradient },
  "activation-gradient": { lower: lowerActivationGradient },
  "gated-activation-gradient": { lower: lowerActivationGradient },
  "soft-cap-gradient": { lower: lowerSoftCapGradient },
  "embedding-gradient": { lower: lowerEmbeddingGradient, adds: "all" },
  "scatter-rows": { lower: lowerScatterRows },
  dropout: { lower: lowerDropout },
  "row-squares": { lower: lowerRowSquares },
  accumulate: { lower: (site, { inputs: [p, first] }) => lowerElements(site, "accumulate", [p, first]) },
  adamw: {
    lower: (site, { inputs: [p, mean, square, gradient, scalars] }, settings) =>
      lowerElements(site, "adamw", [p, mean, square, gradient, scalars], settings),
  },
  sgd: {
    lower: (site, { inputs: [p, velocity, gradient, scalars] }, settings) =>
      lowerElements(site, "sgd", [p, velocity, undefined, gradient, scalars], settings),
  },
  lion: {
    lower: (site, { inputs: [p, mean, gradient, scalars] }, settings) =>
      lowerElements(site, "lion", [p, mean, undefined, gradient, scalars], settings),
  },
  momentum: {
    lower: (site, { inputs: [velocity, gradient, scalars], output }, settings) =>
      lowerElements(site, "momentum", [velocity, output, undefined, gradient, scalars], settings),
  },
  "apply-update": {
    lower: (site, { inputs: [p, update, scalars] }, settings) =>
      lowerElements(site, "apply_update", [p, update, undefined, undefined, scalars], settings),
  },
  "moving-average": {
    lower: (site, { inputs: [average, p, scalars] }) =>
      lowerElements(site, "moving_average", [average, p, undefined, undefined, scalars]),
  },
  ...productLowerings,
  "row-chain": rowChainLowering((operation) => trainingLowerings[operation]),
  ...sequenceAttentionLowerings,
  "unit-norm": { lower: lowerUnitNorm },
};

function lowerColumnSums(site: LoweringSite, { inputs, output }: Node): void {
  const [x] = inputs;
  const width = rowWidth(x!);
  site.writer.write("chunk_sums", site.rows(x!), width * 0.2, [site.scratch, site.at(x), width]);
  addChunks(site, x!, [output], width);
}

function lowerRmsNormGradient(site: LoweringSite, node: Node, { eps, groups }: RmsNormAttributes): void {
  const [x, weight, dy] = node.inputs;
  const [dx, dweight] = node.outputs;
  const size = rowWidth(x!) / groups;
  const args = [...[dx, x, weight, dy].map((tensor) => site.at(tensor)), site.scratch, groups, size, floatBits(eps)];
  site.writer.write("rms_norm_gradient", site.rows(x!), groups * (40 + size * 0.5), args);
  addChunks(site, x!, [dweight!], size);
}

function lowerLayerNormGradient(site: LoweringSite, node: Node, { eps }: LayerNormGradientAttributes): void {
  const [x, weight, dy] = node.inputs;
  const [dx, ...sums] = node.outputs;
  const width = rowWidth(x!);
  const args = [...[dx, x, weight, dy].map((tensor) => site.at(tensor)), site.scratch, width, floatBits(eps)];
  site.writer.write("layer_norm_gradient", site.rows(x!), 60 + width * 0.6, args);
  addChunks(site, x!, sums, 2 * width);
}

function lowerActivationGradient(site: LoweringSite, node: Node, { kind }: ActivationAttributes): void {
  const gated = node.inputs.length === 3;
  const [x, up, dy] = gated ? node.inputs : [node.inputs[0], undefined, node.inputs[1]];
  const [dx, dup] = node.outputs;
  const operation = gated ? "gated_activation_gradient" : "activation_gradient";
  elementGradient(site, operation, [dx, x, dy, up, dup], activationKinds.indexOf(kind), 0);
}

function lowerSoftCapGradient(site: LoweringSite, { inputs: [x, dy], output }: Node, { cap }: SoftCapAttributes): void {
  elementGradient(site, "soft_cap_gradient", [output, x, dy], 0, cap);
}

function elementGradient(
  site: LoweringSite,
  operation: OperationId,
  [dx, x, dy, up, dup]: readonly (Tensor | undefined)[],
  kind: number,
  cap: number,
): void {
  const width = rowWidth(x!);
  const args = [site.at(dx), site.at(x), site.at(dy), width, kind, floatBits(cap), site.at(up), site.at(dup)];
  site.writer.write(operation, site.rows(x!), width * 0.8, args);
}

function lowerEmbeddingGradient(site: LoweringSite, node: Node, { rows, scale }: EmbeddingGradientAttributes): void {
  const [ids, dy] = node.inputs;
  const { address, adds } = site.target(node.output);
  writeRowSums(site, { address, rows, adds }, [ids!, dy!], scale);
}

function lowerScatterRows(site: LoweringSite, { inputs: [dy, picked], output }: Node): void {
  const rows = rowsArgument(site.rows(output));
  writeRowSums(site, { address: site.at(output), rows, adds: false }, [picked!, dy!], 1);
}

function writeRowSums(
  site: LoweringSite,
  { address, rows, adds }: { address: number; rows: number; adds: boolean },
  [ids, dy]: readonly [Tensor, Tensor],
  scale: number,
): void {
  const width = rowWidth(dy);
  const cost = capacityElements(dy) * 0.4;
  const args = [address, site.at(ids), site.at(dy), width, floatBits(scale), rows, rowsArgument(site.rows(dy))];
  site.writer.write("embedding_gradient", once, cost, [...args, adds ? 1 : 0]);
}

function lowerLogSumExpGradient(site: LoweringSite, { inputs: [x, dy], output }: Node): void {
  const width = rowWidth(x!);
  const args = [site.at(output), site.at(x), width, site.at(dy)];
  site.writer.write("log_sum_exp_gradient", site.rows(x!), width * 0.6, args);
}

function lowerDropout(
  site: LoweringSite,
  { inputs: [x, seed], output }: Node,
  { rate, stream }: DropoutAttributes,
): void {
  const width = rowWidth(x!);
  const args = [site.at(output), site.at(x), site.at(seed), width, stream];
  args.push(floatBits(dropoutThreshold(rate)), floatBits(dropoutScale(rate)));
  site.writer.write("dropout", site.rows(x!), width * 0.5, args);
}

function lowerRowSquares(site: LoweringSite, { inputs: [x], output }: Node): void {
  const width = x!.shape.length === 1 ? capacityElements(x!) : rowWidth(x!);
  const args = [site.at(output), site.at(x), width];
  site.writer.write("row_squares", site.rows(output), width * 0.15, args);
}

function lowerUnitNorm(site: LoweringSite, { inputs: [x], output }: Node): void {
  const elements = capacityElements(x!);
  site.writer.write("unit_norm", once, elements * 0.4, [site.at(output), site.at(x), elements]);
}

/** Operands in the order of `kernels/optimizers.c`: the state, three more, the scalars. */
function lowerElements(
  site: LoweringSite,
  operation: OperationId,
  operands: readonly (Tensor | undefined)[],
  { decay = 0, nesterov = false }: { decay?: number; nesterov?: boolean } = {},
): void {
  const elements = capacityElements(operands[0]!);
  const args = Array.from({ length: 5 }, (_, i) => site.at(operands[i]));
  site.writer.write(operation, once, elements * 1.5, [...args, elements, decay, nesterov ? 1 : 0]);
}
