/** A graph under test together with the numbers that its sources hold. */
import { Graph } from "../../graph/graph.js";
import type { Products } from "../../graph/operation.js";
import type { LiveDimension, Shape, Tensor } from "../../graph/tensor.js";
import { capacityElements } from "../../graph/tensor.js";
import { RandomNumbers } from "./random-numbers.js";
import { drawStored, type KnownStorage } from "./stored-values.js";

/** One graph of one operation, and how exactly it has to be computed. */
export interface ConformanceCase {
  readonly operation: string;
  readonly title: string;
  /** Rows that the graph is compiled for; the live dimension is called `rows`. */
  readonly rows: number;
  /** Storage type of the matrices, where there are any. */
  readonly storage?: KnownStorage;
  /** Too large for the reference backend to be asked many times over. */
  readonly large?: boolean;
  /** Largest error allowed in a row, relative to the row's largest magnitude or `magnitude`, if that is larger. */
  readonly tolerance: number;
  /** What the numbers of a row are about, before cancellation; of each result, where there are several. 0 unless given. */
  readonly magnitude?: number | readonly number[];
  /** States hold bytes and not floats: they are compared byte by byte. */
  readonly bytes?: boolean;
  /** Rows act on each other, or the operation adds to a state: the case is never asked for in several runs. */
  readonly whole?: boolean;
  readonly products?: Products;
  /** Instruction sets may differ in their bits: products in bfloat16 where there are units for them, and not elsewhere. */
  readonly ownBits?: boolean;
  readonly build: (fixture: Fixture) => Tensor | readonly Tensor[];
  /** The same question asked of memory laid out differently: the answer must have the same bits. */
  readonly twin?: (fixture: Fixture) => Tensor;
}

/** The tests of one operation: chosen cases, and a way to draw others. */
export interface OperationCases {
  readonly operation: string;
  readonly cases: readonly ConformanceCase[];
}

export interface StoredMatrix {
  readonly shape: readonly [number, number];
  readonly storage: KnownStorage;
  readonly bytes: Uint8Array;
}

export class Fixture {
  readonly graph = new Graph();
  readonly random: RandomNumbers;
  readonly rows: LiveDimension;
  readonly inputs = new Map<Tensor, Float32Array | Int32Array>();
  readonly matrices = new Map<string, StoredMatrix>();
  readonly plain = new Map<string, Float32Array>();
  readonly states = new Map<string, Float32Array>();
  /** Sizes of the live dimensions other than `rows`. */
  readonly live: Record<string, number> = {};

  constructor(
    rows: number,
    seed = 1,
    /** Feed operations from a result, whose memory they may take over, rather than from an input. */
    readonly inPlace = false,
  ) {
    this.random = new RandomNumbers(seed);
    this.rows = this.graph.dimension("rows", rows);
  }

  /** Another live dimension, always full. */
  dimension(name: string, capacity: number): LiveDimension {
    this.live[name] = capacity;
    return this.graph.dimension(name, capacity);
  }

  /** A float operand [rows, width]. */
  operand(name: string, width: number, draw = () => this.random.normal()): Tensor {
    return this.tensor(name, [this.rows, width], draw);
  }

  /** A float operand of any shape. */
  tensor(name: string, shape: Shape, draw = () => this.random.normal()): Tensor {
    const input = this.graph.input(name, shape, "f32");
    this.inputs.set(
      input,
      Float32Array.from({ length: capacityElements(input) }, (_) => draw()),
    );
    return this.inPlace ? this.graph.apply("scale", [input], { factor: 1 }, input.shape, "f32") : input;
  }

  integers(name: string, shape: Shape, values: readonly number[]): Tensor {
    const input = this.graph.input(name, shape, "i32");
    this.inputs.set(input, Int32Array.from(values));
    return input;
  }

  matrix(name: string, out: number, width: number, storage: KnownStorage): Tensor {
    const bytes = drawStored(storage, out * width, this.random);
    this.matrices.set(name, { shape: [out, width], storage, bytes });
    return this.graph.parameter(name, [out, width]);
  }

  vector(name: string, shape: readonly number[]): Tensor {
    const tensor = this.graph.parameter(name, shape, "plain");
    this.plain.set(
      name,
      Float32Array.from({ length: capacityElements(tensor) }, () => this.random.normal()),
    );
    return tensor;
  }

  /** A parameter in plain rows that programs may write, as training holds weights. */
  plainMatrix(name: string, out: number, width: number): Tensor {
    const tensor = this.graph.parameter(name, [out, width]);
    this.states.set(
      name,
      Float32Array.from({ length: out * width }, () => this.random.normal()),
    );
    return tensor;
  }

  state(name: string, shape: readonly number[], values?: Float32Array): Tensor {
    const tensor = this.graph.state(name, shape);
    const drawn = () => Float32Array.from({ length: capacityElements(tensor) }, () => this.random.normal());
    this.states.set(name, values ?? drawn());
    return tensor;
  }
}
