/**
 * Turns a plan into instructions of the C runtime: one for each node, with every address settled.
 *
 * A linear map by a quantized matrix is preceded by one that quantizes its input; maps that follow each other with
 * the same input share it.
 */
import { InternalError } from "../../core/errors.js";
import { activationKinds } from "../../graph/operations/activation.js";
import { capacityElements, capacityOf, rowWidth } from "../../graph/tensor.js";
import { floatBits, InstructionWriter, matrixStorageIds, plainRowsId, quantizedRowBytes, } from "./instructions.js";
/** Queries whose scores a thread holds at a time: HH_TILE_QUERIES of `kernels/attention.c`. */
const tileQueries = 16;
/** Positions in a block of the KV cache: what the kernels are written for. */
export const cacheBlockSize = 16;
export function scratchBytes(plan, threads, storageOf) {
    let [quantized, scores] = [0, 0];
    for (const { operation, inputs } of plan.nodes) {
        if (operation === "linear" && isQuantized(storageOf(inputs[1]))) {
            const [x] = inputs;
            quantized = Math.max(quantized, capacityOf(x.shape[0]) * quantizedRowBytes(rowWidth(x)));
        }
        else if (operation === "attention" || operation === "attention-weights") {
            scores = Math.max(scores, threads * tileQueries * cacheBlockSize * rowWidth(inputs[3]) * 4);
        }
    }
    return { quantized, scores };
}
/** @param live - names of the live dimensions; a row count refers to them by index. */
export function lowerPlan(plan, live, addresses) {
    const lowering = new Lowering(live, addresses);
    for (const node of plan.nodes)
        lowering.add(node);
    return lowering.writer.finish();
}
function isQuantized(storage) {
    return storage === "q8_0" || storage === "q4_0";
}
/** Nanoseconds that one multiply-add takes, by storage, for one row: mostly the time to read the weight. */
const nanosecondsPerWeight = { f32: 0.1, f16: 0.08, bf16: 0.08, q8_0: 0.04, q4_0: 0.04 };
class Lowering {
    live;
    addresses;
    writer = new InstructionWriter();
    /** Whose quantized rows the scratch memory holds. */
    #quantized;
    constructor(live, addresses) {
        this.live = live;
        this.addresses = addresses;
    }
    add(node) {
        const lower = this.#operations[node.operation];
        if (lower === undefined)
            throw new InternalError(`the CPU backend has no operation ${node.operation}`);
        lower(node, node.attributes);
    }
    #operations = {
        embedding: (node, attributes) => this.#embedding(node, attributes),
        linear: (node) => this.#linear(node),
        "rms-norm": (node, attributes) => this.#rmsNorm(node, attributes),
        "layer-norm": (node, attributes) => this.#layerNorm(node, attributes),
        rotary: (node, attributes) => this.#rotary(node, attributes),
        "cache-write": (node, attributes) => this.#cacheWrite(node, attributes),
        attention: (node, attributes) => this.#attention(node, attributes),
        "attention-weights": (node, attributes) => this.#attentionWeights(node, attributes),
        activation: (node, { kind }) => this.#elementwise("activation", node, { kind }),
        "gated-activation": (node, { kind }) => this.#elementwise("gated_activation", node, { kind }),
        add: (node) => this.#elementwise("add", node, {}),
        scale: (node, { factor }) => this.#elementwise("scale", node, { factor }),
        "soft-cap": (node, { cap }) => this.#elementwise("soft_cap", node, { factor: cap }),
        "select-rows": (node) => this.#selectRows(node),
        "log-sum-exp": (node) => this.#logSumExp(node),
    };
    #embedding(node, { scale }) {
        const [table, ids] = node.inputs;
        const width = rowWidth(node.output);
        const storage = this.addresses.storageOf(table);
        const args = [node.output, table, ids].map((tensor) => this.#at(tensor));
        args.push(width, storage === undefined ? plainRowsId : matrixStorageIds[storage], floatBits(scale));
        this.writer.write("embedding", this.#rows(node.output), width * 4, args);
    }
    #linear(node) {
        const [x, weight, bias] = node.inputs;
        const [out, width] = [rowWidth(node.output), rowWidth(x)];
        const storage = this.addresses.storageOf(weight);
        if (storage === undefined)
            throw new InternalError(`${weight.name} is not a matrix`);
        const source = isQuantized(storage) ? this.#quantize(x, width) : this.#at(x);
        const args = [this.#at(node.output), source, this.#at(weight), this.#at(bias), out, width];
        this.writer.write(`linear_${storage}`, this.#rows(node.output), out * width * nanosecondsPerWeight[storage], args);
    }
    /** @returns address of x's quantized rows. */
    #quantize(x, width) {
        if (this.#quantized !== x) {
            const args = [this.addresses.quantized, this.#at(x), width];
            this.writer.write("quantize_rows", this.#rows(x), width * 0.3, args);
            this.#quantized = x;
        }
        return this.addresses.quantized;
    }
    #rmsNorm(node, { eps, groups }) {
        const [x, weight] = node.inputs;
        const width = rowWidth(node.output);
        const args = [this.#at(node.output), this.#at(x), this.#at(weight), groups, width / groups, floatBits(eps)];
        this.writer.write("rms_norm", this.#rows(node.output), groups * 30 + width * 0.15, args);
    }
    #layerNorm(node, { eps }) {
        const [x, weight, bias] = node.inputs;
        const width = rowWidth(node.output);
        const args = [this.#at(node.output), this.#at(x), this.#at(weight), this.#at(bias), width, floatBits(eps)];
        this.writer.write("layer_norm", this.#rows(node.output), 60 + width * 0.3, args);
    }
    #rotary(node, { headDim, rotaryDim, layout }) {
        const width = rowWidth(node.output);
        const args = [node.output, ...node.inputs].map((tensor) => this.#at(tensor));
        args.push(width / headDim, headDim, rotaryDim, layout === "interleaved" ? 1 : 0);
        this.writer.write("rotary", this.#rows(node.output), width * 0.4, args);
    }
    #cacheWrite(node, { role, keyValueHeadCount, headDim, blockSize }) {
        requireBlockSize(blockSize);
        const [, x] = node.inputs;
        const args = node.inputs.map((tensor) => this.#at(tensor));
        args.push(keyValueHeadCount, headDim, role === "key" ? 1 : 0);
        this.writer.write("cache_write", this.#rows(x), rowWidth(x) * (role === "key" ? 1 : 0.1), args);
    }
    #attention(node, attributes) {
        const cost = attentionCost(node, attributes);
        this.writer.write("attention", this.#rows(node.output), cost, this.#attentionArguments(node, attributes));
    }
    #attentionWeights(node, attributes) {
        const args = this.#attentionArguments(node, attributes);
        args.push(attributes.keyCapacity, attributes.stage === "probabilities" ? 1 : 0);
        this.writer.write("attention_weights", this.#rows(node.output), attentionCost(node, attributes), args);
    }
    #attentionArguments(node, a) {
        requireBlockSize(a.blockSize);
        const relative = node.inputs.length > 6;
        const operands = Array.from({ length: 9 }, (_, i) => this.#at(node.inputs[i]));
        const reach = relative ? (capacityElements(node.inputs[7]) - 1) / 2 : 0;
        const shape = [reach, rowWidth(node.inputs[3]), a.headCount, a.keyValueHeadCount, a.headDim];
        const scoring = [floatBits(a.scale), floatBits(a.softCap), a.window];
        return [this.#at(node.output), ...operands, ...shape, ...scoring, this.addresses.scores];
    }
    #elementwise(operation, node, { kind, factor = 0 }) {
        const width = rowWidth(node.output);
        const [first, second] = node.inputs;
        const args = [this.#at(node.output), this.#at(first), this.#at(second), width];
        args.push(kind === undefined ? 0 : activationKinds.indexOf(kind), floatBits(factor));
        this.writer.write(operation, this.#rows(node.output), width * (operation === "add" ? 0.1 : 0.5), args);
    }
    #selectRows(node) {
        const width = rowWidth(node.output);
        const args = [node.output, ...node.inputs].map((tensor) => this.#at(tensor));
        this.writer.write("select_rows", this.#rows(node.output), width * 0.1, [...args, width]);
    }
    #logSumExp(node) {
        const [x] = node.inputs;
        const width = rowWidth(x);
        this.writer.write("log_sum_exp", this.#rows(x), width * 0.3, [this.#at(node.output), this.#at(x), width]);
    }
    /** A tensor's address; 0 for an operand that is left out. */
    #at(tensor) {
        return tensor === undefined ? 0 : this.addresses.of(tensor);
    }
    #rows(tensor) {
        const extent = tensor.shape[0];
        return typeof extent === "number" ? { fixed: extent } : { live: this.live.indexOf(extent.name) };
    }
}
/** A guess: how many positions are visible is known only at each run, and an idle thread costs more than a woken one. */
function attentionCost(node, { headCount, headDim }) {
    const positions = Math.min(rowWidth(node.inputs[3]) * cacheBlockSize, 1024);
    return headCount * (50 + headDim * positions * 0.03);
}
function requireBlockSize(blockSize) {
    if (blockSize !== cacheBlockSize)
        throw new InternalError(`cache blocks of ${blockSize}, not ${cacheBlockSize}`);
}
