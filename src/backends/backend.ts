/**
 * The whole contract between the graph and what runs it.
 *
 * A backend holds weights and states in its own memory and turns graphs into programs. It knows operations, not
 * models: no layer, no token, no cache policy. What it is *not*: an eager tensor library; nothing is computed outside
 * a program, and running a program allocates nothing.
 *
 * The promise that every backend keeps: a row of a result depends only on that row's own inputs, bit for bit; never
 * on how many rows are computed together, on the number of threads, or on what ran before. Operations that put
 * rows together (the gradient of a weight) depend on all of them, and still never on the number of threads.
 */
import type { StorageType } from "../core/storage.js";
import type { Graph } from "../graph/graph.js";
import type { Products } from "../graph/operation.js";
import type { LiveSizes, Tensor } from "../graph/tensor.js";

/** A weight matrix, read in pieces so that no second copy of it is ever held. */
export interface MatrixSource {
  readonly name: string;
  /** [rows, columns]; for a linear map [out, in]. */
  readonly shape: readonly [number, number];
  readonly storage: StorageType;
  /**
   * Fills `into` with the rows from `first` on, as stored, row after row. Called from the first row to the last, but
   * the next call need not wait for the one before.
   */
  readRows(first: number, count: number, into: Uint8Array): Promise<void>;
}

/** Memory that a backend holds for a parameter, a constant or a state. Opaque; freed with the backend or by itself. */
export interface Resource {
  readonly bytes: number;
  dispose(): void;
}

/** A state's memory, open to the host between runs: copying cache blocks, saving, restoring. */
export interface StateResource extends Resource {
  readonly data: Float32Array;
}

export interface CompileOptions {
  /** What each parameter and state of the graph is, by tensor name. */
  readonly resources: ReadonlyMap<string, Resource>;
  /** Results that can be read after a run. */
  readonly outputs: readonly Tensor[];
  /**
   * How matrix products of plain tensors (`matmul`, and `linear` by a parameter that is a state) are computed: `bf16`
   * rounds their operands to bfloat16, to nearest even, and sums in float32. Default `f32`.
   */
  readonly products?: Products;
}

/** What one instruction of a program did while it was profiled: sums over its calls. */
export interface InstructionProfile {
  /** What ran, in the backend's own words, such as `linear_q8_0`. */
  readonly operation: string;
  /** The result that it computed or prepared, by its name in the graph; may be empty. */
  readonly result: string;
  readonly calls: number;
  readonly nanoseconds: number;
  /** Bytes that had to be read or written at least once. */
  readonly bytes: number;
  /** Multiplications and additions; undefined where they are not what takes the time. */
  readonly operations: number | undefined;
}

export interface Program {
  /** Bytes of the arena that the program's values lie in. */
  readonly arenaBytes: number;
  /** The memory of an input, to be filled before a run. The view stays valid until `dispose`. */
  integers(input: Tensor): Int32Array;
  /** The memory of an output (or f32 input), at full capacity; the live part comes first. Valid until the next run. */
  floats(tensor: Tensor): Float32Array;
  /**
   * Runs on the calling thread (and the backend's pool). `live` gives every live dimension's size, 0 allowed.
   * The program's inputs must be in range: ids inside tables, slots inside caches.
   */
  run(live: LiveSizes): void;
  /** The same, off the event loop where the backend can. One run of a backend at a time. */
  runAsync(live: LiveSizes): Promise<void>;
  /** Times every instruction of the runs from now on, anew. Absent where a backend has no instructions to time. */
  startProfile?(): void;
  /** Ends timing. @returns what was timed, in the order of running; nothing when no profile was begun */
  stopProfile?(): InstructionProfile[];
  dispose(): void;
}

/** A rate per second, with one thread and with all. */
export interface Limit {
  readonly one: number;
  readonly all: number;
}

/** What a machine can do at most, with a backend's instruction set and threads. */
export interface MachineLimits {
  /** Bytes read, of memory that no cache holds. */
  readonly memoryRead: Limit;
  /** Bytes read, of a working set that is read again and again; faster than memory where a cache holds it. */
  readonly workingSetRead: Limit;
  /** Multiplications and additions of float32. */
  readonly floatOperations: Limit;
  /** Multiplications and additions of bytes into 32-bit sums. */
  readonly byteOperations: Limit;
}

export interface LimitOptions {
  readonly workingSetBytes: number;
  /** Bytes that no cache holds; halved until they are to be had. Default: one gigabyte. */
  readonly memoryBytes?: number;
  readonly signal?: AbortSignal;
}

export interface Backend {
  readonly name: "reference" | "native" | "wasm" | "webgpu";
  /** What the kernels use: "avx512", "avx2", "neon", "simd128", "scalar", or "float64" for the reference. */
  readonly instructionSet: string;
  readonly threads: number;
  /** Storage types that matrices may have; the loader repacks others into one of these. */
  readonly matrixStorage: ReadonlySet<StorageType>;
  /** How many matrices are best loaded at once: what keeps all that packs them busy. 1 where it makes no difference. */
  readonly concurrentLoads: number;
  loadMatrix(source: MatrixSource): Promise<Resource>;
  /** Vectors, small tables and constants, kept in order. */
  loadPlain(values: Float32Array | Int32Array): Resource;
  /** Zeroed memory; pages that are never touched cost nothing where the system allows. */
  allocateState(elements: number): StateResource;
  compile(graph: Graph, options: CompileOptions): Program;
  /** What a profile can be set beside. Absent where there is nothing to measure. Not while a program runs. */
  measureLimits?(options: LimitOptions): Promise<MachineLimits>;
  dispose(): Promise<void>;
}
