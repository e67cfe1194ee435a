/** Runs a case on a backend, in whatever pieces, and compares what comes out. */
import { operations } from "../../graph/operations/index.js";
import { memoryOf } from "../../graph/plan.js";
import { capacityElements, type LiveSizes, rowWidth, type Tensor } from "../../graph/tensor.js";
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

/** Computes a case: [rows, width], or the whole state when the operation writes one. */
export async function measure(backend: Backend, each: ConformanceCase, options: MeasureOptions = {}) {
  const fixture = new Fixture(each.rows, 1, options.inPlace);
  const output = (options.twin ? each.twin! : each.build)(fixture);
  const { resources, states } = await load(backend, fixture);
  const program = backend.compile(fixture.graph, { resources, outputs: [output] });
  try {
    return collect(program, fixture, output, states, options.runs ?? [each.rows]);
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
  output: Tensor,
  states: ReadonlyMap<string, StateResource>,
  runs: readonly number[],
): Float32Array {
  const whole = new Float32Array(capacityElements(output));
  let first = 0;
  for (const count of runs) {
    program.run(fill(program, fixture, first, count));
    const width = rowWidth(output);
    if (!writesState(output)) whole.set(program.floats(output).subarray(0, count * width), first * width);
    first += count;
  }
  return writesState(output) ? states.get(memoryOf(output).name)!.data.slice() : whole;
}

/** Puts rows from `first` on at the front of every operand that has rows; the others are given whole. */
function fill(program: Program, fixture: Fixture, first: number, count: number): LiveSizes {
  const live: Record<string, number> = { rows: count };
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

function writesState(output: Tensor): boolean {
  return output.origin.kind === "result" && operations.get(output.origin.node.operation)?.writesInput !== undefined;
}

/** The largest error of any row, relative to the row's magnitude; infinite where only one of two is finite. */
export function largestError(actual: Float32Array, expected: Float32Array, each: ConformanceCase): number {
  const width = expected.length / Math.max(1, each.rows);
  let worst = 0;
  for (let start = 0; start < expected.length; start += width) {
    let [error, magnitude] = [0, each.magnitude ?? 0];
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
