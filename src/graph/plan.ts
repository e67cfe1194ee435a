/**
 * Settles, ahead of any run, which operations run in which order and where each value lies in one arena.
 *
 * Values whose lifetimes do not overlap share memory. Everything is laid out for full capacity, so a run with smaller
 * live sizes uses the front of each buffer and addresses never change.
 */
import { assert } from "../core/errors.js";
import { operations } from "./operations/index.js";
import { capacityElements, type Node, type Tensor } from "./tensor.js";

/** Buffers start at multiples of this many bytes: one cache line, one AVX-512 register. */
export const bufferAlignment = 64;

export interface Plan {
  /** The operations that the outputs need, in order of running. */
  readonly nodes: readonly Node[];
  /** Byte offset in the arena of every input and every result that has memory of its own or shares it. */
  readonly offsets: ReadonlyMap<Tensor, number>;
  readonly arenaBytes: number;
  /** Sources that the nodes read, by kind. */
  readonly inputs: readonly Tensor[];
  readonly parameters: readonly Tensor[];
  readonly constants: readonly Tensor[];
  readonly states: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

/**
 * Plans the computation of `outputs`. Inputs and outputs keep their memory to themselves for the whole run.
 * @param spellOut - puts nodes of a backend's own in the place of the graph's, for the same results
 */
export function planGraph(
  outputs: readonly Tensor[],
  spellOut: (nodes: readonly Node[]) => readonly Node[] = (nodes) => nodes,
): Plan {
  const nodes = spellOut(neededNodes(outputs));
  const sources = [...new Set([...outputs, ...nodes.flatMap((node) => node.inputs)])];
  const ofKind = (kind: string) => sources.filter((tensor) => tensor.origin.kind === kind).sort((a, b) => a.id - b.id);
  const inputs = ofKind("input");
  const { offsets, arenaBytes } = placeBuffers(nodes, inputs, new Set(outputs));
  const [parameters, constants, states] = [ofKind("parameter"), ofKind("constant"), ofKind("state")];
  return { nodes, offsets, arenaBytes, inputs, parameters, constants, states, outputs };
}

/** Follows operations that write a state back to the state itself. Other tensors are their own memory. */
export function memoryOf(tensor: Tensor): Tensor {
  if (tensor.origin.kind !== "result") return tensor;
  const { operation, inputs, output } = tensor.origin.node;
  const written = operations.get(operation)?.writesInput;
  return written === undefined || tensor !== output ? tensor : memoryOf(inputs[written]!);
}

/** The nodes that `outputs` need, in the order in which they were written. */
export function neededNodes(outputs: readonly Tensor[]): Node[] {
  const needed = new Set<Tensor>(outputs);
  const nodes: Node[] = [];
  for (const node of outputs[0]?.graph.nodes.toReversed() ?? []) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return nodes.reverse();
}

/** A stretch of memory that one or more tensors use in turn, from node `first` to node `last`. */
interface Buffer {
  readonly bytes: number;
  readonly first: number;
  last: number;
  readonly tensors: Tensor[];
  offset: number;
}

function placeBuffers(nodes: readonly Node[], inputs: readonly Tensor[], kept: ReadonlySet<Tensor>) {
  const buffers = findBuffers(nodes, inputs, kept);
  const placed: Buffer[] = [];
  for (const buffer of [...buffers].sort((a, b) => b.bytes - a.bytes)) {
    buffer.offset = lowestFreeOffset(buffer, placed);
    placed.push(buffer);
  }
  const offsets = new Map(
    buffers.flatMap((buffer) => buffer.tensors.map((tensor) => [tensor, buffer.offset] as const)),
  );
  const arenaBytes = placed.reduce((end, buffer) => Math.max(end, buffer.offset + buffer.bytes), bufferAlignment);
  return { offsets, arenaBytes };
}

function findBuffers(nodes: readonly Node[], inputs: readonly Tensor[], kept: ReadonlySet<Tensor>): Buffer[] {
  const lastUse = new Map<Tensor, number>();
  for (const [index, node] of nodes.entries()) for (const input of node.inputs) lastUse.set(input, index);
  const end = nodes.length;
  const bufferOf = new Map<Tensor, Buffer>();
  const add = (tensor: Tensor, first: number, last: number): void => {
    bufferOf.set(tensor, { bytes: alignedBytes(tensor), first, last, tensors: [tensor], offset: 0 });
  };
  for (const input of inputs) add(input, -1, end);
  for (const [index, node] of nodes.entries()) {
    // What this node is the last to read and may overwrite element by element; each for one of its outputs.
    const mayTake = new Set(
      (node.inPlace ?? operations.get(node.operation)?.inPlace ?? []).map((position) => node.inputs[position]!),
    );
    const free = [...mayTake].filter(
      (input) => input.origin.kind === "result" && !kept.has(input) && lastUse.get(input) === index,
    );
    for (const output of node.outputs) {
      if (memoryOf(output) !== output) continue;
      const last = kept.has(output) ? end : (lastUse.get(output) ?? index);
      const reused = takeOver(output, free, bufferOf);
      if (reused === undefined) {
        add(output, index, last);
      } else {
        reused.last = last;
        reused.tensors.push(output);
        bufferOf.set(output, reused);
      }
    }
  }
  return [...new Set(bufferOf.values())];
}

/** The buffer of the first tensor in `free` that `output` fits; that tensor is free no longer. */
function takeOver(output: Tensor, free: Tensor[], bufferOf: ReadonlyMap<Tensor, Buffer>): Buffer | undefined {
  const found = free.findIndex((input) => alignedBytes(input) === alignedBytes(output) && bufferOf.has(input));
  if (found < 0) return undefined;
  const [input] = free.splice(found, 1);
  return bufferOf.get(input!);
}

function lowestFreeOffset(buffer: Buffer, placed: readonly Buffer[]): number {
  const neighbours = placed
    .filter((other) => other.first <= buffer.last && buffer.first <= other.last)
    .sort((a, b) => a.offset - b.offset);
  let offset = 0;
  for (const other of neighbours) {
    if (other.offset - offset >= buffer.bytes) break;
    offset = Math.max(offset, other.offset + other.bytes);
  }
  return offset;
}

function alignedBytes(tensor: Tensor): number {
  const bytes = capacityElements(tensor) * 4;
  assert(Number.isSafeInteger(bytes), `${tensor.name}: too large`);
  return Math.ceil(bytes / bufferAlignment) * bufferAlignment;
}
