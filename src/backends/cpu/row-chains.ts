/**
 * Gathers operations on rows that feed each other into chains, which run a few rows at a time: what one computes is still
 * in a cache when the next reads it, and what nobody outside the chain reads has no place in the arena.
 *
 * A chain is a node of its own, `row-chain`, made before memory is given out. Each row is computed by the same
 * instructions as without it, and sums over rows are taken in the same order, so the bits are the same.
 */
import { operations } from "../../graph/operations/index.js";
import { memoryOf } from "../../graph/plan.js";
import { type Extent, type Node, sameExtent, type Tensor } from "../../graph/tensor.js";

export interface RowChainAttributes {
  /** In order of running. */
  readonly members: readonly Node[];
  /** Results that only members read. */
  readonly inner: ReadonlySet<Tensor>;
}

/** Operations whose kernels can be asked for some rows alone: `rows_of` and its like in `kernels/shares.h`. */
const chainable: ReadonlySet<string> = new Set([
  "activation",
  "activation-gradient",
  "add",
  "column-sums",
  "dropout",
  "gated-activation",
  "gated-activation-gradient",
  "layer-norm",
  "layer-norm-gradient",
  "rms-norm",
  "rms-norm-gradient",
  "round-rows",
  "scale",
  "soft-cap",
  "soft-cap-gradient",
]);

/** How many nodes are looked at for one that goes on with a chain. */
const reach = 48;

/**
 * @param nodes - in order of running
 * @param outputs - results that are read after a run
 * @returns the same computation, with chains in the place of their members
 */
export function chainRows(nodes: readonly Node[], outputs: readonly Tensor[]): Node[] {
  const readers = readersOf(nodes);
  const taken = new Set<Node>();
  return nodes.flatMap((node, index) => {
    if (taken.has(node)) return [];
    const members = chainable.has(node.operation) ? membersFrom(nodes, index, taken) : [node];
    for (const member of members) taken.add(member);
    return members.length === 1 ? [node] : [chainOf(members, readers, outputs)];
  });
}

/** The node at `index`, and those after it that can be computed with it. */
function membersFrom(nodes: readonly Node[], index: number, taken: ReadonlySet<Node>): Node[] {
  const first = nodes[index]!;
  const members = [first];
  const rows = rowsOf(first);
  const near = new Set([...first.outputs, ...rowInputs(first)]);
  /** Sums over rows are there when the chain has ended. */
  const sums = new Set(first.outputs.filter((output) => !isMatrix(output)));
  /** Results that are not there yet, and states that will have changed. */
  const later = new Set<Tensor>();
  for (const node of nodes.slice(index + 1, index + reach)) {
    if (taken.has(node)) continue;
    const belongs = chainable.has(node.operation) && sameExtent(rowsOf(node), rows);
    const ready = node.inputs.every(
      (input) => ![later, sums].some((set) => set.has(input) || set.has(memoryOf(input))),
    );
    if (belongs && ready && rowInputs(node).some((input) => near.has(input))) {
      members.push(node);
      for (const tensor of [...node.outputs, ...rowInputs(node)]) near.add(tensor);
      for (const output of node.outputs) if (!isMatrix(output)) sums.add(output);
    } else {
      for (const output of node.outputs) later.add(output).add(memoryOf(output));
      for (const written of operations.get(node.operation)?.alsoWrites ?? [])
        later.add(memoryOf(node.inputs[written]!));
    }
  }
  return members;
}

function chainOf(
  members: readonly Node[],
  readers: ReadonlyMap<Tensor, readonly Node[]>,
  outputs: readonly Tensor[],
): Node {
  const made = members.flatMap((member) => member.outputs);
  const isInner = (tensor: Tensor) =>
    !outputs.includes(tensor) && (readers.get(tensor) ?? []).every((reader) => members.includes(reader));
  const inner = new Set(made.filter((tensor) => isMatrix(tensor) && isInner(tensor)));
  const given = made.filter((tensor) => !inner.has(tensor));
  const inputs = [...new Set(members.flatMap((member) => member.inputs))].filter((input) => !made.includes(input));
  const attributes: RowChainAttributes = { members, inner };
  const inPlace = inputs.flatMap((input, index) => (mayBeTaken(input, members, given) ? [index] : []));
  const { scope } = members[0]!;
  return { operation: "row-chain", inputs, attributes, outputs: given, output: given[0]!, scope, inPlace };
}

/** Whether any result may lie where `input` lay: nothing reads it after the first result that is kept is written. */
function mayBeTaken(input: Tensor, members: readonly Node[], given: readonly Tensor[]): boolean {
  const writes = members.findIndex(({ outputs }) =>
    outputs.some((output) => isMatrix(output) && given.includes(output)),
  );
  const last = members.findLastIndex(({ inputs }) => inputs.includes(input));
  if (!isMatrix(input) || writes < 0) return false;
  if (last !== writes) return last < writes;
  const { operation, inputs } = members[writes]!;
  const inPlace = operations.get(operation)?.inPlace ?? [];
  return inputs.every((each, index) => each !== input || inPlace.includes(index));
}

function readersOf(nodes: readonly Node[]): Map<Tensor, Node[]> {
  const readers = new Map<Tensor, Node[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      const known = readers.get(input);
      if (known === undefined) readers.set(input, [node]);
      else known.push(node);
    }
  }
  return readers;
}

function rowsOf({ inputs }: Node): Extent {
  return inputs[0]!.shape[0]!;
}

function isMatrix({ shape }: Tensor): boolean {
  return shape.length > 1;
}

/** Operands that are read row by row: not weights, nor seeds. */
function rowInputs({ inputs }: Node): Tensor[] {
  return inputs.filter(isMatrix);
}
