/**
 * What an operation is: a name, and its definition in plain loops with float64 sums.
 *
 * One operation, one name, everywhere: `operations/rms-norm.ts` here, `kernels/rms_norm.c`, a test. The function that
 * model code calls checks shapes and adds a node; the definition below it is the oracle that every backend is tested
 * against. The gradient rule stands beside the definition.
 */
import { narrowToBfloats, widenBfloats } from "../core/half.js";
import type { StorageType } from "../core/storage.js";
import type { Tensor } from "./tensor.js";

/** Float data of a host tensor: float32, or float64 where gradients are compared with finite differences. */
export type Floats = Float32Array | Float64Array;

/** How matrix products of plain tensors are computed: in float32, or of operands rounded to bfloat16 with float32 sums. */
export type Products = "f32" | "bf16";

/** A tensor with its numbers, as the reference backend holds it: plain row-major, live part only. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Floats | Int32Array;
  /** How a parameter is stored; the numbers in `data` are what the stored blocks stand for. */
  readonly storage: StorageType;
  /** A matrix that the backend has packed, and not plain rows. */
  readonly packed: boolean;
}

/** Everything that a definition may read, and what it writes. */
export interface ReferenceCall<Attributes> {
  readonly inputs: readonly HostTensor[];
  readonly attributes: Attributes;
  /** The result, live rows only; for an operation with `writesInput`, that input itself. */
  readonly output: HostTensor;
  /** All results, in order; `output` is the first. */
  readonly outputs: readonly HostTensor[];
  readonly products: Products;
}

/** Everything from which a gradient rule builds nodes. */
export interface GradientCall<Attributes> {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly attributes: Attributes;
  /** The gradient of the output, in its shape. */
  readonly dy: Tensor;
}

export interface Operation<Attributes extends object = object> {
  readonly name: string;
  /** The input (by index) that the operation writes and returns: states only. */
  readonly writesInput?: number;
  /** More inputs (by index) that it writes: states only. */
  readonly alsoWrites?: readonly number[];
  /** Inputs (by index) whose memory the results may take over, element by element; each input for one result. */
  readonly inPlace?: readonly number[];
  /** The definition. */
  reference(call: ReferenceCall<Attributes>): void;
  /**
   * The gradient rule, for operations with one output: the gradient of each input, as new nodes; undefined for integers.
   * What nobody asks for is never computed. Absent: the operation has no place in what is differentiated.
   */
  gradient?(call: GradientCall<Attributes>): readonly (Tensor | undefined)[];
}

/** Names and declares an operation. */
export function defineOperation<Attributes extends object>(operation: Operation<Attributes>): Operation<Attributes> {
  return operation;
}

/** Float data of an input. */
export function floats(tensor: HostTensor): Floats {
  return tensor.data as Floats;
}

/** An operand of a matrix product: float data, rounded to bfloat16 where products are computed so. */
export function factors(tensor: HostTensor, products: Products): Floats {
  const values = floats(tensor);
  if (products === "f32") return values;
  const rounded = new Uint16Array(values.length);
  narrowToBfloats(Float32Array.from(values), rounded);
  const widened = new Float32Array(values.length);
  widenBfloats(rounded, widened);
  return widened;
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
