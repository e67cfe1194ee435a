/**
 * Settles, ahead of any run, which operations run in which order and where each value lies in one arena.
 *
 * Values whose lifetimes do not overlap share memory. Everything is laid out for full capacity, so a run with smaller
 * live sizes uses the front of each buffer and addresses never change.
 */
import { assert } from "../core/errors.js";
import { operations } from "./operations/index.js";
import { capacityElements } from "./tensor.js";
/** Buffers start at multiples of this many bytes: one cache line, one AVX-512 register. */
export const bufferAlignment = 64;
/** Plans the computation of `outputs`. Inputs and outputs keep their memory to themselves for the whole run. */
export function planGraph(outputs) {
    const nodes = neededNodes(outputs);
    const sources = [...new Set([...outputs, ...nodes.flatMap((node) => node.inputs)])];
    const ofKind = (kind) => sources.filter((tensor) => tensor.origin.kind === kind).sort((a, b) => a.id - b.id);
    const inputs = ofKind("input");
    const { offsets, arenaBytes } = placeBuffers(nodes, inputs, new Set(outputs));
    const [parameters, constants, states] = [ofKind("parameter"), ofKind("constant"), ofKind("state")];
    return { nodes, offsets, arenaBytes, inputs, parameters, constants, states, outputs };
}
/** Follows operations that write a state back to the state itself. Other tensors are their own memory. */
export function memoryOf(tensor) {
    if (tensor.origin.kind !== "result")
        return tensor;
    const { operation, inputs } = tensor.origin.node;
    const written = operations.get(operation)?.writesInput;
    return written === undefined ? tensor : memoryOf(inputs[written]);
}
function neededNodes(outputs) {
    const needed = new Set();
    const visit = (tensor) => {
        if (tensor.origin.kind !== "result" || needed.has(tensor.origin.node))
            return;
        needed.add(tensor.origin.node);
        for (const input of tensor.origin.node.inputs)
            visit(input);
    };
    for (const output of outputs)
        visit(output);
    return [...needed].sort((a, b) => a.output.id - b.output.id);
}
function placeBuffers(nodes, inputs, kept) {
    const buffers = findBuffers(nodes, inputs, kept);
    const placed = [];
    for (const buffer of [...buffers].sort((a, b) => b.bytes - a.bytes)) {
        buffer.offset = lowestFreeOffset(buffer, placed);
        placed.push(buffer);
    }
    const offsets = new Map(buffers.flatMap((buffer) => buffer.tensors.map((tensor) => [tensor, buffer.offset])));
    const arenaBytes = placed.reduce((end, buffer) => Math.max(end, buffer.offset + buffer.bytes), bufferAlignment);
    return { offsets, arenaBytes };
}
function findBuffers(nodes, inputs, kept) {
    const lastUse = new Map();
    for (const [index, node] of nodes.entries())
        for (const input of node.inputs)
            lastUse.set(input, index);
    const end = nodes.length;
    const bufferOf = new Map();
    const add = (tensor, first, last) => {
        bufferOf.set(tensor, { bytes: alignedBytes(tensor), first, last, tensors: [tensor], offset: 0 });
    };
    for (const input of inputs)
        add(input, -1, end);
    for (const [index, node] of nodes.entries()) {
        if (memoryOf(node.output) !== node.output)
            continue;
        const last = kept.has(node.output) ? end : (lastUse.get(node.output) ?? index);
        const reused = takeOver(node, index, lastUse, kept, bufferOf);
        if (reused === undefined) {
            add(node.output, index, last);
        }
        else {
            reused.last = last;
            reused.tensors.push(node.output);
            bufferOf.set(node.output, reused);
        }
    }
    return [...new Set(bufferOf.values())];
}
/** The buffer of an input that this node is the last to read and may overwrite element by element. */
function takeOver(node, index, lastUse, kept, bufferOf) {
    for (const position of operations.get(node.operation)?.inPlace ?? []) {
        const input = node.inputs[position];
        const free = input.origin.kind === "result" && !kept.has(input) && lastUse.get(input) === index;
        if (free && alignedBytes(input) === alignedBytes(node.output))
            return bufferOf.get(input);
    }
    return undefined;
}
function lowestFreeOffset(buffer, placed) {
    const neighbours = placed
        .filter((other) => other.first <= buffer.last && buffer.first <= other.last)
        .sort((a, b) => a.offset - b.offset);
    let offset = 0;
    for (const other of neighbours) {
        if (other.offset - offset >= buffer.bytes)
            break;
        offset = Math.max(offset, other.offset + other.bytes);
    }
    return offset;
}
function alignedBytes(tensor) {
    const bytes = capacityElements(tensor) * 4;
    assert(Number.isSafeInteger(bytes), `${tensor.name}: too large`);
    return Math.ceil(bytes / bufferAlignment) * bufferAlignment;
}
