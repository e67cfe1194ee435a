/**
 * What an operation is: a name, and its definition in plain loops with float64 sums.
 *
 * One operation, one name, everywhere: `operations/rms-norm.ts` here, `kernels/rms_norm.c`, a test. The function that
 * model code calls checks shapes and adds a node; the definition below it is the oracle that every backend is tested
 * against. A gradient rule has its place here beside the definition.
 */
import type { StorageType } from "../core/storage.js";
import type { Tensor } from "./tensor.js";

/** A tensor with its numbers, as the reference backend holds it: plain row-major, live part only. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
  /** How a parameter is stored; the numbers in `data` are what the stored blocks stand for. */
  readonly storage: StorageType;
}

/** Everything that a definition may read, and the one thing it writes. */
export interface ReferenceCall<Attributes> {
  readonly inputs: readonly HostTensor[];
  readonly attributes: Attributes;
  /** The result, live rows only; for an operation with `writesInput`, that input itself. */
  readonly output: HostTensor;
}

export interface Operation<Attributes extends object = object> {
  readonly name: string;
  /** The input (by index) that the operation writes and returns: states only. */
  readonly writesInput?: number;
  /** Inputs (by index) whose memory the result may take over, element by element. */
  readonly inPlace?: readonly number[];
  /** The definition. */
  reference(call: ReferenceCall<Attributes>): void;
}

/** Names and declares an operation. */
export function defineOperation<Attributes extends object>(operation: Operation<Attributes>): Operation<Attributes> {
  return operation;
}

/** Float data of an input. */
export function floats(tensor: HostTensor): Float32Array {
  return tensor.data as Float32Array;
}

/** Integer data of an input. */
export function integers(tensor: HostTensor): Int32Array {
  return tensor.data as Int32Array;
}

/** Rows and row width of a host tensor. */
export function rowsOf(tensor: HostTensor): { rows: number; width: number } {
  const [rows = 1, ...rest] = tensor.shape;
  return { rows, width: rest.reduce((product, extent) => product * extent, 1) };
}

export type { Tensor };
