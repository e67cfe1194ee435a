/** The instructions of the C runtime as numbers: the words of a plan, as `kernels/hitherto.h` defines them. */
import { assert } from "../../core/errors.js";
/** Operations of the C runtime, in the order of `hh_operation_id`. */
export const operationIds = [
    "embedding",
    "linear_f32",
    "linear_f16",
    "linear_bf16",
    "linear_q8_0",
    "linear_q4_0",
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
];
/** Storage of packed matrices, by the numbers of the header; `rows` are plain rows of float32. */
export const matrixStorageIds = { f32: 0, f16: 1, bf16: 2, q8_0: 3, q4_0: 4 };
export const plainRowsId = 5;
/** Instruction sets, by the numbers of the header. */
export const instructionSets = ["scalar", "simd128", "relaxed_simd", "neon", "avx2", "avx512", "avx512_vnni"];
/** Elements in a block of quantized numbers. */
export const quantizedBlock = 32;
/** Bytes of a row of activations as `quantize_rows` lays it out. */
export function quantizedRowBytes(width) {
    return Math.ceil((2 * width + (width / quantizedBlock) * 8) / 64) * 64;
}
/** Collects the words of a plan. */
export class InstructionWriter {
    #words = [];
    /** @param rowCost - about how many nanoseconds a row takes on one thread */
    write(operation, rows, rowCost, args) {
        const code = operationIds.indexOf(operation);
        const count = "fixed" in rows ? rows.fixed : ~rows.live;
        const cost = Math.min(Math.max(1, Math.round(rowCost)), 0x7fffffff);
        this.#words.push(pair(code, args.length), pair(count, cost), ...args.map(word));
    }
    /** The plan, 8-byte little-endian words. */
    finish() {
        return BigInt64Array.from(this.#words);
    }
}
/** The bits of a float32, as an argument. */
export function floatBits(value) {
    return new Uint32Array(Float32Array.of(value).buffer)[0];
}
function word(value) {
    assert(Number.isSafeInteger(value), `${value} is no word of a plan`);
    return BigInt(value);
}
function pair(low, high) {
    return BigInt.asIntN(64, (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low)));
}
