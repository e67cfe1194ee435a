/**
 * The oracle: runs every operation by its definition, in plain TypeScript with float64 sums. Slow and obvious.
 * The other backends are tested against it.
 */
import { assert } from "../../core/errors.js";
import { type StorageType, storageBytes, storageTypes } from "../../core/storage.js";
import type { Graph } from "../../graph/graph.js";
import { hasRoundedScales, roundBlockScales } from "../../graph/operations/quantized-groups.js";
import { type Plan, planGraph } from "../../graph/plan.js";
import type { LiveSizes, Tensor } from "../../graph/tensor.js";
import type { Backend, CompileOptions, MatrixSource, Program, Resource, StateResource } from "../backend.js";
import { Interpreter } from "./interpreter.js";

/** Turns stored elements into numbers; comes from the formats layer, which backends do not import. */
export type Dequantize = (storage: StorageType, bytes: Uint8Array, into: Float32Array) => void;

class HostResource implements StateResource {
  constructor(
    readonly data: Float32Array,
    readonly storage: StorageType = "f32",
    /** Packed matrices are told apart from plain rows, as other backends must. */
    readonly packed = false,
    readonly integers?: Int32Array,
  ) {}

  get bytes(): number {
    return (this.integers ?? this.data).byteLength;
  }

  dispose(): void {}
}

export class ReferenceBackend implements Backend {
  readonly name = "reference";
  readonly instructionSet = "float64";
  readonly threads = 1;
  readonly concurrentLoads = 1;
  readonly matrixStorage: ReadonlySet<StorageType> = new Set(Object.keys(storageTypes) as StorageType[]);

  constructor(readonly dequantize: Dequantize) {}

  async loadMatrix(source: MatrixSource): Promise<Resource> {
    const [rows, columns] = source.shape;
    const values = new Float32Array(rows * columns);
    const rowBytes = storageBytes(source.storage, columns);
    const step = Math.max(1, Math.floor((1 << 22) / rowBytes));
    for (let row = 0; row < rows; row += step) {
      const count = Math.min(step, rows - row);
      const bytes = new Uint8Array(count * rowBytes);
      await source.readRows(row, count, bytes);
      const decoded = values.subarray(row * columns, (row + count) * columns);
      this.dequantize(source.storage, bytes, decoded);
      if (hasRoundedScales(source.storage)) roundBlockScales(source.storage, bytes, decoded, columns);
    }
    return new HostResource(values, source.storage, true);
  }

  loadPlain(values: Float32Array | Int32Array): Resource {
    if (values instanceof Int32Array) return new HostResource(new Float32Array(0), "i32", false, values);
    return new HostResource(values);
  }

  allocateState(elements: number): StateResource {
    return new HostResource(new Float32Array(elements));
  }

  compile(_graph: Graph, options: CompileOptions): Program {
    return new ReferenceProgram(planGraph(options.outputs), options);
  }

  async dispose(): Promise<void> {}
}

class ReferenceProgram implements Program {
  readonly arenaBytes: number;
  readonly #interpreter: Interpreter;

  constructor(plan: Plan, { resources, products }: CompileOptions) {
    this.arenaBytes = plan.arenaBytes;
    const source = ({ name }: Tensor): HostResource => {
      const resource = resources.get(name);
      assert(resource instanceof HostResource, `no resource for ${name}`);
      return resource;
    };
    this.#interpreter = new Interpreter(plan, Float32Array, source, products);
  }

  integers(input: Tensor): Int32Array {
    return this.#interpreter.data(input) as Int32Array;
  }

  floats(tensor: Tensor): Float32Array {
    return this.#interpreter.data(tensor) as Float32Array;
  }

  run(live: LiveSizes): void {
    this.#interpreter.run(live);
  }

  async runAsync(live: LiveSizes): Promise<void> {
    this.run(live);
  }

  dispose(): void {
    this.#interpreter.clear();
  }
}
