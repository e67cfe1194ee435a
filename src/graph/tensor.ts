/**
 * Symbolic tensors: a shape, an element type and where the value comes from. No numbers are held here.
 *
 * A shape is row-major. Its first extent may be live: compiled for a capacity, told its live size at each run
 * (tokens in this call, rows to output). All other extents are fixed.
 */
import { assert } from "../core/errors.js";
import type { Graph } from "./graph.js";

/** A dimension whose size is settled at each run, up to `capacity`. */
export interface LiveDimension {
  readonly name: string;
  readonly capacity: number;
}

export type Extent = number | LiveDimension;
export type Shape = readonly Extent[];
export type ElementType = "f32" | "i32";

/** Where a tensor's value comes from. */
export type Origin =
  /** Written by the caller before a run. */
  | { readonly kind: "input" }
  /** A weight, loaded once and never written. `matrix`: rows of a linear map or a table; `plain`: read in order. */
  | { readonly kind: "parameter"; readonly layout: "matrix" | "plain" }
  /** Numbers known when the graph is built, such as a table of rotation angles. */
  | { readonly kind: "constant"; readonly values: Float32Array | Int32Array }
  /** Lives on between runs and is written by them, such as a KV cache. */
  | { readonly kind: "state" }
  /** The result of an operation. */
  | { readonly kind: "result"; readonly node: Node };

export interface Tensor {
  readonly graph: Graph;
  /** Unique in its graph, increasing in order of creation. */
  readonly id: number;
  /** For a result: its place in the model, such as `blocks.0.attention.query`; may be empty. */
  readonly name: string;
  readonly shape: Shape;
  readonly type: ElementType;
  readonly origin: Origin;
}

/** One operation applied to tensors. */
export interface Node {
  readonly operation: string;
  readonly inputs: readonly Tensor[];
  readonly attributes: object;
  /** What it gives, one result or several. */
  readonly outputs: readonly Tensor[];
  /** The first of its outputs. */
  readonly output: Tensor;
  /** Inputs whose memory results may take over, of a node that stands for others; otherwise its operation says. */
  readonly inPlace?: readonly number[];
  /** Where in the model it was written, such as `blocks.0.attention.`: the scopes that were open. */
  readonly scope: string;
}

/** The size of an extent when its live dimension is full. */
export function capacityOf(extent: Extent): number {
  return typeof extent === "number" ? extent : extent.capacity;
}

/** Elements of a tensor when its live dimension is full. */
export function capacityElements(tensor: Tensor): number {
  return tensor.shape.reduce<number>((product, extent) => product * capacityOf(extent), 1);
}

/** The live sizes of one run, by dimension name. */
export type LiveSizes = Readonly<Record<string, number>>;

/** The shape of a tensor in one run. */
export function liveShape(tensor: Tensor, live: LiveSizes): number[] {
  return tensor.shape.map((extent) => {
    if (typeof extent === "number") return extent;
    const size = live[extent.name];
    assert(size !== undefined, `no live size for ${extent.name}`);
    return size;
  });
}

/** Elements in one row: the product of all extents but the first. */
export function rowWidth(tensor: Tensor): number {
  return tensor.shape.slice(1).reduce<number>((product, extent) => product * capacityOf(extent), 1);
}

export function sameExtent(a: Extent, b: Extent): boolean {
  return typeof a === "number" || typeof b === "number" ? a === b : a.name === b.name;
}

/** A shape for messages: `[tokens, 64]`. */
export function showShape(shape: Shape): string {
  return `[${shape.map((extent) => (typeof extent === "number" ? extent : extent.name)).join(", ")}]`;
}
