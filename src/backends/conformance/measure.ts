/** Runs a case on a backend, in whatever pieces, and compares what comes out. */
import { operations } from "../../graph/operations/index.js";
import { memoryOf } from "../../graph/plan.js";
import { capacityElements, type LiveSizes, type Node, rowWidth, type Tensor } from "../../graph/tensor.js";
import type { Backend, Program, Resource, StateResource } from "../backend.js";
import { type ConformanceCase, Fixture } from "./fixture.js";

export interface MeasureOptions {
  readonly inPlace?: boolean;
  readonly twin?: boolean;
  /** Sizes of the runs that share the rows out; one run of all rows unless given. */
  readonly runs?: readonly number[];
}

/** The live sizes that a case is asked for in pieces: one by one, and in two unequal parts. */
export function waysToSplit(rows: number): number[][] {
  const ways = [Array.from({ length: rows }, () => 1), [0, rows]];
  for (const first of [2, 5]) if (rows > first) ways.push([first, rows - first]);
  return ways;
}

/** One thing that a case computes: a result, or a state that it writes. */
export interface Measured {
  readonly values: Float32Array;
  /** Elements in a row; a vector is one row. */
  readonly width: number;
  /** Each row depends on that row of the operands alone, so that it may be asked for in any run. */
  readonly rowsApart: boolean;
}

/** Computes a case: its results, then the states that it writes. */
export async function measure(backend: Backend, each: ConformanceCase, options: MeasureOptions = {}) {
  const fixture = new Fixture(each.rows, 1, options.inPlace);
  const outputs = [(options.twin ? each.twin! : each.build)(fixture)].flat();
  const { resources, states } = await load(backend, fixture);
  const program = backend.compile(fixture.graph, { resources, outputs, products: each.products });
  try {
    return collect(program, fixture, outputs, states, options.runs ?? [each.rows], each);
  } finally {
    program.dispose();
    for (const resource of resources.values()) resource.dispose();
  }
}

async function load(backend: Backend, fixture: Fixture) {
  const resources = new Map<string, Resource>();
  const states = new Map<string, StateResource>();
  for (const [name, { shape, storage, bytes }] of fixture.matrices) {
    const rowBytes = bytes.length / shape[0];
    const readRows = async (first: number, count: number, into: Uint8Array): Promise<void> =>
      into.set(bytes.subarray(first * rowBytes, (first + count) * rowBytes));
    resources.set(name, await backend.loadMatrix({ name, shape, storage, readRows }));
  }
  for (const [name, values] of fixture.plain) resources.set(name, backend.loadPlain(values));
  for (const [name, values] of fixture.states) {
    const state = backend.allocateState(values.length);
    state.data.set(values);
    states.set(name, state);
    resources.set(name, state);
  }
  return { resources, states };
}

function collect(
  program: Program,
  fixture: Fixture,
  outputs: readonly Tensor[],
  states: ReadonlyMap<string, StateResource>,
  runs: readonly number[],
  { whole = false, bytes = false }: ConformanceCase,
): Measured[] {
  const results = outputs.filter((output) => memoryOf(output) === output);
  const measured = results.map((output) => ({
    values: new Float32Array(capacityElements(output)),
    width: widthOf(output),
    rowsApart: !whole && output.shape[0] === fixture.rows,
  }));
  let first = 0;
  for (const count of runs) {
    program.run(fill(program, fixture, first, count));
    for (const [index, { values, width, rowsApart }] of measured.entries()) {
      const live = program.floats(results[index]!);
      if (rowsApart) values.set(live.subarray(0, count * width), first * width);
      else values.set(live.subarray(0, values.length));
    }
    first += count;
  }
  const written = [...new Set(fixture.graph.nodes.flatMap(writtenStates))].map((state) => {
    const values = states.get(state.name)!.data.slice();
    const width = widthOf(state);
    if (!bytes) return { values, width, rowsApart: !whole };
    return { values: Float32Array.from(new Uint8Array(values.buffer)), width: 4 * width, rowsApart: !whole };
  });
  return [...measured, ...written];
}

function widthOf(tensor: Tensor): number {
  return tensor.shape.length === 1 ? capacityElements(tensor) : rowWidth(tensor);
}

/** Puts rows from `first` on at the front of every operand that has rows; the others are given whole. */
function fill(program: Program, fixture: Fixture, first: number, count: number): LiveSizes {
  const live: Record<string, number> = { ...fixture.live, rows: count };
  for (const [input, values] of fixture.inputs) {
    const [extent] = input.shape;
    const memory = input.type === "i32" ? program.integers(input) : program.floats(input);
    const width = rowWidth(input);
    if (extent === fixture.rows) {
      memory.set(values.subarray(first * width, (first + count) * width));
    } else {
      memory.set(values);
      if (typeof extent === "object") live[extent.name] = extent.capacity;
    }
  }
  return live;
}

function writtenStates({ operation, inputs }: Node): Tensor[] {
  const { writesInput, alsoWrites = [] } = operations.get(operation)!;
  const written = writesInput === undefined ? alsoWrites : [writesInput, ...alsoWrites];
  return written.map((index) => memoryOf(inputs[index]!));
}

/** The largest error of any row of any result, relative to the row's magnitude; infinite where only one of two is finite. */
export function largestError(
  actual: readonly Measured[],
  expected: readonly Measured[],
  each: ConformanceCase,
): number {
  return Math.max(
    0,
    ...expected.map(({ values, width }, index) => {
      const magnitude = typeof each.magnitude === "number" ? each.magnitude : (each.magnitude?.[index] ?? 0);
      return rowError(actual[index]!.values, values, width, magnitude);
    }),
  );
}

function rowError(actual: Float32Array, expected: Float32Array, width: number, least: number): number {
  let worst = 0;
  for (let start = 0; start < expected.length; start += width) {
    let [error, magnitude] = [0, least];
    for (let i = start; i < start + width; i++) {
      const [got, wanted] = [actual[i]!, expected[i]!];
      if (Object.is(got, wanted)) continue;
      const difference = Math.abs(got - wanted);
      error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(error, difference);
      if (Number.isFinite(wanted)) magnitude = Math.max(magnitude, Math.abs(wanted));
    }
    if (error > 0) worst = Math.max(worst, error / Math.max(magnitude, 1e-30));
  }
  return worst;
}

/** The index of the first element whose bits differ, or −1. */
export function firstDifferentBits(a: Float32Array, b: Float32Array): number {
  const [x, y] = [new Uint32Array(a.buffer, a.byteOffset, a.length), new Uint32Array(b.buffer, b.byteOffset, b.length)];
  if (x.length !== y.length) return Math.min(x.length, y.length);
  return x.findIndex((bits, i) => bits !== y[i]);
}
