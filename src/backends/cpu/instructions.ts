/** The instructions of the C runtime as numbers: the words of a plan, as `kernels/hitherto.h` defines them. */
import { assert } from "../../core/errors.js";
import { groupCount } from "../../graph/operations/quantized-groups.js";
import type { Node } from "../../graph/tensor.js";

/** Operations of the C runtime, in the order of `hh_operation_id`. */
export const operationIds = [
  "embedding",
  "linear_f32",
  "linear_f16",
  "linear_bf16",
  "linear_q8_0",
  "linear_q4_0",
  "linear_q4_k",
  "linear_q6_k",
  "linear_mxfp4",
  "quantize_rows",
  "rms_norm",
  "layer_norm",
  "rotary",
  "cache_write",
  "attention",
  "attention_weights",
  "activation",
  "gated_activation",
  "add",
  "scale",
  "soft_cap",
  "select_rows",
  "log_sum_exp",
  "argmax",
  "linear_group",
  "norm_rows",
  "activate_rows",
  "chunk_sums",
  "sum_chunks",
  "log_sum_exp_gradient",
  "rms_norm_gradient",
  "layer_norm_gradient",
  "activation_gradient",
  "gated_activation_gradient",
  "soft_cap_gradient",
  "embedding_gradient",
  "dropout",
  "row_squares",
  "accumulate",
  "adamw",
  "sgd",
  "lion",
  "momentum",
  "apply_update",
  "moving_average",
  "sequence_attention",
  "sequence_attention_gradient",
  "cross_entropy",
  "cross_entropy_gradient",
  "round_rows",
  "pack_columns",
  "product",
  "product_left",
  "unit_norm",
  "row_chain",
  "limit_read",
  "limit_float",
  "limit_bytes",
  "plain_loop",
] as const;

export type OperationId = (typeof operationIds)[number];

/** Storage of packed matrices, by the numbers of the header; `rows` are plain rows of float32. */
export const matrixStorageIds = { f32: 0, f16: 1, bf16: 2, q8_0: 3, q4_0: 4, q4_k: 5, q6_k: 6, mxfp4: 7 } as const;
export const plainRowsId = 8;
export type PackedStorage = keyof typeof matrixStorageIds;

/** Instruction sets, by the numbers of the header. */
export const instructionSets = [
  "scalar",
  "simd128",
  "relaxed_simd",
  "relaxed_dot",
  "relaxed_signed_dot",
  "neon",
  "avx2",
  "avx512",
  "avx512_vnni",
  "amx",
] as const;

/** Positions in a block of the KV cache: what the kernels are written for. */
export const cacheBlockSize = 16;

/** Elements in a block of quantized numbers. */
export const quantizedBlock = 32;

/** Bytes of a row of activations as `quantize_rows` lays it out. */
export function quantizedRowBytes(width: number): number {
  return Math.ceil((2 * width + 4 * (groupCount(width) + (width / quantizedBlock) * 2)) / 64) * 64;
}

/** How many rows an instruction has: a number, or the index of a live dimension. */
export type RowCount = { readonly fixed: number } | { readonly live: number };

/** A number of rows as an argument: fixed, or the index of a live dimension in ones' complement. */
export function rowsArgument(rows: RowCount): number {
  return "fixed" in rows ? rows.fixed : ~rows.live;
}

/** An instruction of a plan, as a profile speaks of it. */
export interface Instruction {
  readonly operation: OperationId;
  readonly rows: RowCount;
  /** The node that it computes, or prepares. */
  readonly node: Node;
  /** More nodes of the same operation that it computes. */
  readonly others: readonly Node[];
}

/** One instruction. @param rowCost - about how many nanoseconds a row takes on one thread */
export function instructionWords(
  operation: OperationId,
  rows: RowCount,
  rowCost: number,
  args: readonly number[],
): bigint[] {
  const code = operationIds.indexOf(operation);
  const count = "fixed" in rows ? rows.fixed : ~rows.live;
  const cost = Math.min(Math.max(1, Math.round(rowCost)), 0x7fffffff);
  return [pair(code, args.length), pair(count, cost), ...args.map(word)];
}

/** Collects the words of a plan. */
export class InstructionWriter {
  readonly #words: bigint[] = [];
  readonly instructions: Instruction[] = [];
  /** Whose instructions are being written. */
  #node: Node | undefined;

  /** What is written from now on belongs to `node`. */
  begin(node: Node): void {
    this.#node = node;
  }

  /** Several operations of one kind, each with its arguments, as one instruction. */
  writeGroup(operation: OperationId, rows: RowCount, rowCost: number, nodes: readonly Node[], args: readonly number[]) {
    const [node, ...others] = nodes;
    this.instructions.push({ operation, rows, node: node!, others });
    const all = [operationIds.indexOf(operation), nodes.length, ...args];
    this.#words.push(...instructionWords("linear_group", rows, rowCost, all));
  }

  /** @param rowCost - about how many nanoseconds a row takes on one thread */
  write(operation: OperationId, rows: RowCount, rowCost: number, args: readonly number[]): void {
    assert(this.#node !== undefined, "an instruction belongs to a node");
    this.instructions.push({ operation, rows, node: this.#node, others: [] });
    this.#words.push(...instructionWords(operation, rows, rowCost, args));
  }

  /** The plan, 8-byte little-endian words. */
  finish(): BigInt64Array {
    return BigInt64Array.from(this.#words);
  }
}

/** The bits of a float32, as an argument. */
export function floatBits(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

function word(value: number): bigint {
  assert(Number.isSafeInteger(value), `${value} is no word of a plan`);
  return BigInt(value);
}

function pair(low: number, high: number): bigint {
  return BigInt.asIntN(64, (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low)));
}
