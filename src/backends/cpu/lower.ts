/**
 * Turns a plan into instructions of the C runtime: one for each node or few nodes (`fuse.ts`), with every address
 * settled.
 *
 * What a linear map by a quantized matrix reads is quantized before it, together with the node that it comes from or
 * by an instruction of its own; maps that follow each other with the same input share it.
 */
import { InternalError } from "../../core/errors.js";
import { storageTypes } from "../../core/storage.js";
import { type ActivationAttributes, type ActivationKind, activationKinds } from "../../graph/operations/activation.js";
import type { AttentionAttributes } from "../../graph/operations/attention.js";
import type { AttentionWeightsAttributes } from "../../graph/operations/attention-weights.js";
import { cacheCodecs } from "../../graph/operations/cache-codecs.js";
import type { CacheWriteAttributes } from "../../graph/operations/cache-write.js";
import type { EmbeddingAttributes } from "../../graph/operations/embedding.js";
import type { LayerNormAttributes } from "../../graph/operations/layer-norm.js";
import type { RmsNormAttributes } from "../../graph/operations/rms-norm.js";
import type { RotaryAttributes } from "../../graph/operations/rotary.js";
import type { ScaleAttributes } from "../../graph/operations/scale.js";
import type { SoftCapAttributes } from "../../graph/operations/soft-cap.js";
import type { Plan } from "../../graph/plan.js";
import { capacityElements, capacityOf, type Node, rowWidth, type Tensor } from "../../graph/tensor.js";
import { findAccumulations } from "./accumulations.js";
import { fuseNodes, type Step } from "./fuse.js";
import {
  cacheBlockSize,
  floatBits,
  InstructionWriter,
  matrixStorageIds,
  type OperationId,
  type PackedStorage,
  plainRowsId,
  quantizedRowBytes,
  type RowCount,
} from "./instructions.js";
import { trainingLowerings } from "./lower-training.js";
import type { LoweringSite, SiteParts } from "./lowering-site.js";

/** Where things lie, as far as instructions need to know. */
export interface Addresses {
  of(tensor: Tensor): number;
  /** How a parameter is packed; undefined when it lies in plain order. */
  storageOf(tensor: Tensor): PackedStorage | undefined;
  /** Memory for quantized activations, and for the scores of each thread. */
  readonly quantized: number;
  readonly scores: number;
  /** Memory for the decoded blocks of each thread. */
  readonly decoded: number;
  /** Memory that each instruction of training may use for itself. */
  readonly training: number;
}

/** Bytes of scratch memory that a plan needs. */
export type ScratchBytes = Readonly<Record<"quantized" | "scores" | "decoded" | "training", number>>;

/** Rows of quantized activations that a matrix unit reads at a time: whole tiles are read, also at the end. */
const tileRows = 16;
/** Queries whose scores a thread holds at a time: HH_TILE_QUERIES of `kernels/attention.c`. */
const tileQueries = 48;
/** Blocks that a thread decodes at a time: HH_DECODED_BLOCKS of `kernels/attention_tile.h`. */
const decodedBlocks = 8;

export function scratchBytes(plan: Plan, threads: number, storageOf: Addresses["storageOf"]): ScratchBytes {
  let [quantized, scores, decoded, training] = [0, 0, 0, 0];
  for (const node of plan.nodes) {
    const { operation, inputs } = node;
    training = Math.max(training, trainingLowerings[operation]?.scratchBytes?.(node, threads) ?? 0);
    if (operation === "linear" && isQuantized(storageOf(inputs[1]!))) {
      const [x] = inputs;
      quantized = Math.max(quantized, roundUp(capacityOf(x!.shape[0]!), tileRows) * quantizedRowBytes(rowWidth(x!)));
    } else if (operation === "attention" || operation === "attention-weights") {
      scores = Math.max(scores, threads * tileQueries * cacheBlockSize * rowWidth(inputs[3]!) * 4);
      decoded = Math.max(decoded, threads * decodedBytes(node.attributes as AttentionAttributes));
    }
  }
  return { quantized, scores, decoded, training };
}

/**
 * @param live - names of the live dimensions; a row count refers to them by index.
 * @returns the words of the plan, and what its instructions are
 */
export function lowerPlan(plan: Plan, live: readonly string[], addresses: Addresses, threads: number) {
  const { into, absorbed } = findAccumulations(plan, ({ operation }, result) => {
    const which = trainingLowerings[operation]?.adds;
    return which === "all" || (which === "vectors" && result.shape.length === 1);
  });
  const lowering = new Lowering(live, addresses, threads, into);
  const takesQuantized = ({ operation, inputs }: Node) =>
    operation === "linear" && isQuantized(addresses.storageOf(inputs[1]!));
  for (const step of fuseNodes(plan, addresses.storageOf, takesQuantized, threads))
    if (!absorbed.has(step.node)) lowering.add(step);
  return { words: lowering.writer.finish(), instructions: lowering.writer.instructions };
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

function isQuantized(storage: PackedStorage | undefined): boolean {
  return storage !== undefined && storageTypes[storage].blockSize > 1;
}

/** Nanoseconds that one multiply-add takes, by storage, for one row: mostly the time to read the weight. */
const nanosecondsPerWeight: Record<PackedStorage, number> = {
  f32: 0.1,
  f16: 0.08,
  bf16: 0.08,
  q8_0: 0.04,
  q4_0: 0.04,
  q4_k: 0.04,
  q6_k: 0.05,
  mxfp4: 0.04,
};

class Lowering implements LoweringSite {
  /** Whose quantized rows the scratch memory holds. */
  #quantized: Tensor | undefined;

  constructor(
    readonly live: readonly string[],
    readonly addresses: Addresses,
    readonly threads: number,
    /** The state that a result is added to. */
    readonly accumulations: ReadonlyMap<Tensor, Tensor>,
    readonly writer = new InstructionWriter(),
  ) {}

  add(step: Step): void {
    const { node, sum, others, quantizes } = step;
    this.writer.begin(node);
    if (others.length > 0) this.#linearGroup([node, ...others]);
    else if (sum === undefined && !quantizes) this.lower(node);
    else if (node.operation.endsWith("norm")) this.#normRows(step);
    else this.#activateRows(step);
    if (quantizes) this.#quantized = node.output;
  }

  lower(node: Node): void {
    const training = trainingLowerings[node.operation];
    const lower = this.#operations[node.operation];
    if (training !== undefined) training.lower(this, node, node.attributes as never);
    else if (lower !== undefined) lower(node, node.attributes as never);
    else throw new InternalError(`the CPU backend has no operation ${node.operation}`);
  }

  within({ writer, scratch, places }: SiteParts): LoweringSite {
    const of = (tensor: Tensor) => places.get(tensor) ?? this.addresses.of(tensor);
    const addresses = { ...this.addresses, of, training: scratch };
    return new Lowering(this.live, addresses, this.threads, this.accumulations, writer);
  }

  readonly #operations: Readonly<Record<string, (node: Node, attributes: never) => void>> = {
    embedding: (node, attributes: EmbeddingAttributes) => this.#embedding(node, attributes),
    linear: (node) => this.#linear(node),
    "rms-norm": (node, attributes: RmsNormAttributes) => this.#rmsNorm(node, attributes),
    "layer-norm": (node, attributes: LayerNormAttributes) => this.#layerNorm(node, attributes),
    rotary: (node, attributes: RotaryAttributes) => this.#rotary(node, attributes),
    "cache-write": (node, attributes: CacheWriteAttributes) => this.#cacheWrite(node, attributes),
    attention: (node, attributes: AttentionAttributes) => this.#attention(node, attributes),
    "attention-weights": (node, attributes: AttentionWeightsAttributes) => this.#attentionWeights(node, attributes),
    activation: (node, { kind }: ActivationAttributes) => this.#elementwise("activation", node, { kind }),
    "gated-activation": (node, { kind }: ActivationAttributes) => this.#elementwise("gated_activation", node, { kind }),
    add: (node) => this.#elementwise("add", node, {}),
    scale: (node, { factor }: ScaleAttributes) => this.#elementwise("scale", node, { factor }),
    "soft-cap": (node, { cap }: SoftCapAttributes) => this.#elementwise("soft_cap", node, { factor: cap }),
    "select-rows": (node) => this.#selectRows(node),
    "log-sum-exp": (node) => this.#reduce("log_sum_exp", node, 0.3),
    argmax: (node) => this.#reduce("argmax", node, 0.1),
  };

  #embedding(node: Node, { scale }: EmbeddingAttributes): void {
    const [table, ids] = node.inputs;
    const width = rowWidth(node.output);
    const storage = this.addresses.storageOf(table!);
    const args = [node.output, table!, ids!].map((tensor) => this.at(tensor));
    args.push(width, storage === undefined ? plainRowsId : matrixStorageIds[storage], floatBits(scale));
    this.writer.write("embedding", this.rows(node.output), width * 4, args);
  }

  #linear(node: Node): void {
    const { operation, cost, args } = this.#linearParts(node);
    this.writer.write(operation, this.rows(node.output), cost, args);
  }

  /** Linear maps of the same input, by matrices of the same storage. */
  #linearGroup(nodes: readonly Node[]): void {
    const parts = nodes.map((node) => this.#linearParts(node));
    const cost = parts.reduce((sum, part) => sum + part.cost, 0);
    const args = parts.flatMap((part) => part.args);
    this.writer.writeGroup(parts[0]!.operation, this.rows(nodes[0]!.output), cost, nodes, args);
  }

  #linearParts(node: Node) {
    const [x, weight, bias] = node.inputs;
    const [out, width] = [rowWidth(node.output), rowWidth(x!)];
    const storage = this.addresses.storageOf(weight!);
    if (storage === undefined) throw new InternalError(`${weight!.name} is not a matrix`);
    const source = isQuantized(storage) ? this.#quantize(x!, width) : this.at(x!);
    const args = [this.at(node.output), source, this.at(weight!), this.at(bias), out, width];
    return { operation: `linear_${storage}` as const, cost: out * width * nanosecondsPerWeight[storage], args };
  }

  /** @returns address of x's quantized rows. */
  #quantize(x: Tensor, width: number): number {
    if (this.#quantized !== x) {
      const args = [this.addresses.quantized, this.at(x), width];
      this.writer.write("quantize_rows", this.rows(x), width * 0.3, args);
      this.#quantized = x;
    }
    return this.addresses.quantized;
  }

  #rmsNorm(node: Node, { eps, groups }: RmsNormAttributes): void {
    const [x, weight] = node.inputs;
    const width = rowWidth(node.output);
    const args = [this.at(node.output), this.at(x), this.at(weight), groups, width / groups, floatBits(eps)];
    this.writer.write("rms_norm", this.rows(node.output), groups * 30 + width * 0.15, args);
  }

  #layerNorm(node: Node, { eps }: LayerNormAttributes): void {
    const [x, weight, bias] = node.inputs;
    const width = rowWidth(node.output);
    const args = [this.at(node.output), this.at(x), this.at(weight), this.at(bias), width, floatBits(eps)];
    this.writer.write("layer_norm", this.rows(node.output), 60 + width * 0.3, args);
  }

  #normRows({ node, sum, quantizes, discards }: Step): void {
    const [x, weight, bias] = node.inputs;
    const { eps } = node.attributes as RmsNormAttributes | LayerNormAttributes;
    const width = rowWidth(node.output);
    const [first, addend] = sum?.inputs ?? [x];
    const args = [this.at(node.output), this.at(first), this.at(weight), this.at(bias), width, floatBits(eps)];
    args.push(node.operation === "layer-norm" ? 1 : 0, this.at(addend), this.at(sum?.output));
    args.push(quantizes ? this.addresses.quantized : 0, discards ? 1 : 0);
    this.writer.write("norm_rows", this.rows(node.output), 60 + width * (quantizes ? 0.6 : 0.35), args);
  }

  #activateRows({ node, discards }: Step): void {
    const { kind } = node.attributes as ActivationAttributes;
    const width = rowWidth(node.output);
    const [gate, up] = node.inputs;
    const y = discards ? 0 : this.at(node.output);
    const args = [y, this.at(gate), this.at(up), width, activationKinds.indexOf(kind)];
    this.writer.write("activate_rows", this.rows(node.output), width * 0.8, [...args, this.addresses.quantized]);
  }

  #rotary(node: Node, { headDim, rotaryDim, layout, inverse = false }: RotaryAttributes): void {
    const width = rowWidth(node.output);
    const args = [node.output, ...node.inputs].map((tensor) => this.at(tensor));
    args.push(width / headDim, headDim, rotaryDim, layout === "interleaved" ? 1 : 0, inverse ? 1 : 0);
    this.writer.write("rotary", this.rows(node.output), width * 0.4, args);
  }

  #cacheWrite(node: Node, { role, codec, keyValueHeadCount, headDim, blockSize }: CacheWriteAttributes): void {
    requireBlockSize(blockSize);
    const [, x] = node.inputs;
    const args = node.inputs.map((tensor) => this.at(tensor));
    args.push(keyValueHeadCount, headDim, role === "key" ? 1 : 0, cacheCodecs.indexOf(codec));
    const nanosecondsEach = codec === "f32" && role === "value" ? 0.1 : codec === "int4" ? 3 : 1;
    this.writer.write("cache_write", this.rows(x!), rowWidth(x!) * nanosecondsEach, args);
  }

  #attention(node: Node, attributes: AttentionAttributes): void {
    const cost = attentionCost(node, attributes);
    this.writer.write("attention", this.rows(node.output), cost, this.#attentionArguments(node, attributes));
  }

  #attentionWeights(node: Node, attributes: AttentionWeightsAttributes): void {
    const args = this.#attentionArguments(node, attributes);
    args.push(attributes.keyCapacity, attributes.stage === "probabilities" ? 1 : 0);
    this.writer.write("attention_weights", this.rows(node.output), attentionCost(node, attributes), args);
  }

  #attentionArguments(node: Node, a: AttentionAttributes): number[] {
    requireBlockSize(a.blockSize);
    const relative = node.inputs.length > 6;
    const operands = Array.from({ length: 9 }, (_, i) => this.at(node.inputs[i]));
    const reach = relative ? (capacityElements(node.inputs[7]!) - 1) / 2 : 0;
    const shape = [reach, rowWidth(node.inputs[3]!), a.headCount, a.keyValueHeadCount, a.headDim];
    const scoring = [floatBits(a.scale), floatBits(a.softCap), a.window];
    const codecs = [cacheCodecs.indexOf(a.keyCodec), cacheCodecs.indexOf(a.valueCodec), this.addresses.decoded];
    return [this.at(node.output), ...operands, ...shape, ...scoring, this.addresses.scores, ...codecs];
  }

  #elementwise(
    operation: OperationId,
    node: Node,
    { kind, factor = 0 }: { kind?: ActivationKind; factor?: number },
  ): void {
    const width = rowWidth(node.output);
    const [first, second] = node.inputs;
    const args = [this.at(node.output), this.at(first), this.at(second), width];
    args.push(kind === undefined ? 0 : activationKinds.indexOf(kind), floatBits(factor));
    this.writer.write(operation, this.rows(node.output), width * (operation === "add" ? 0.1 : 0.5), args);
  }

  #selectRows(node: Node): void {
    const width = rowWidth(node.output);
    const args = [node.output, ...node.inputs].map((tensor) => this.at(tensor));
    this.writer.write("select_rows", this.rows(node.output), width * 0.1, [...args, width]);
  }

  /** One number of each row. */
  #reduce(operation: OperationId, node: Node, nanosecondsEach: number): void {
    const [x] = node.inputs;
    const width = rowWidth(x!);
    this.writer.write(operation, this.rows(x!), width * nanosecondsEach, [this.at(node.output), this.at(x), width]);
  }

  get scratch(): number {
    return this.addresses.training;
  }

  at(tensor: Tensor | undefined): number {
    return tensor === undefined ? 0 : this.addresses.of(tensor);
  }

  target(result: Tensor): { address: number; adds: boolean } {
    const state = this.accumulations.get(result);
    return { address: this.at(state ?? result), adds: state !== undefined };
  }

  rows(tensor: Tensor): RowCount {
    const extent = tensor.shape[0]!;
    return typeof extent === "number" ? { fixed: extent } : { live: this.live.indexOf(extent.name) };
  }
}

/** A guess: how many positions are visible is known only at each run, and an idle thread costs more than a woken one. */
function attentionCost(node: Node, { headCount, headDim }: AttentionAttributes): number {
  const positions = Math.min(rowWidth(node.inputs[3]!) * cacheBlockSize, 1024);
  return headCount * (50 + headDim * positions * 0.03);
}

/** Of one thread; each vector is stored whole, also the one beyond the last element. */
function decodedBytes({ keyCodec, valueCodec, headDim }: AttentionAttributes): number {
  if (keyCodec === "f32" && valueCodec === "f32") return 0;
  return 4 * cacheBlockSize * (decodedBlocks * headDim + 1);
}

function requireBlockSize(blockSize: number): void {
  if (blockSize !== cacheBlockSize) throw new InternalError(`cache blocks of ${blockSize}, not ${cacheBlockSize}`);
}
