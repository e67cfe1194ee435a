/**
 * The oracle: runs every operation by its definition, in plain TypeScript with float64 sums. Slow and obvious.
 * The other backends are tested against it.
 */
import { assert, InternalError } from "../../core/errors.js";
import { type StorageType, storageBytes, storageTypes } from "../../core/storage.js";
import type { Graph } from "../../graph/graph.js";
import type { HostTensor } from "../../graph/operation.js";
import { operations } from "../../graph/operations/index.js";
import { hasRoundedScales, roundBlockScales } from "../../graph/operations/quantized-groups.js";
import { memoryOf, type Plan, planGraph } from "../../graph/plan.js";
import { capacityElements, type LiveSizes, liveShape, type Tensor } from "../../graph/tensor.js";
import type { Backend, CompileOptions, MatrixSource, Program, Resource, StateResource } from "../backend.js";

/** Turns stored elements into numbers; comes from the formats layer, which backends do not import. */
export type Dequantize = (storage: StorageType, bytes: Uint8Array, into: Float32Array) => void;

class HostResource implements StateResource {
  constructor(
    readonly data: Float32Array,
    readonly storage: StorageType = "f32",
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
    return new HostResource(values, source.storage);
  }

  loadPlain(values: Float32Array | Int32Array): Resource {
    if (values instanceof Int32Array) return new HostResource(new Float32Array(0), "i32", values);
    return new HostResource(values);
  }

  allocateState(elements: number): StateResource {
    return new HostResource(new Float32Array(elements));
  }

  compile(_graph: Graph, options: CompileOptions): Program {
    return new ReferenceProgram(planGraph(options.outputs), options.resources);
  }

  async dispose(): Promise<void> {}
}

class ReferenceProgram implements Program {
  readonly arenaBytes: number;
  readonly #memory = new Map<Tensor, { data: Float32Array | Int32Array; storage: StorageType }>();

  constructor(
    readonly plan: Plan,
    resources: ReadonlyMap<string, Resource>,
  ) {
    this.arenaBytes = plan.arenaBytes;
    for (const tensor of [...plan.parameters, ...plan.states]) {
      const resource = resources.get(tensor.name);
      assert(resource instanceof HostResource, `no resource for ${tensor.name}`);
      this.#memory.set(tensor, { data: resource.data, storage: resource.storage });
    }
    for (const tensor of plan.constants) {
      if (tensor.origin.kind === "constant") this.#hold(tensor, tensor.origin.values);
    }
    const arena = new ArrayBuffer(plan.arenaBytes);
    for (const [tensor, offset] of plan.offsets) {
      const View = tensor.type === "i32" ? Int32Array : Float32Array;
      this.#hold(tensor, new View(arena, offset, capacityElements(tensor)));
    }
  }

  integers(input: Tensor): Int32Array {
    return this.#data(input) as Int32Array;
  }

  floats(tensor: Tensor): Float32Array {
    return this.#data(tensor) as Float32Array;
  }

  run(live: LiveSizes): void {
    for (const node of this.plan.nodes) {
      const operation = operations.get(node.operation);
      if (operation === undefined) throw new InternalError(`no operation ${node.operation}`);
      const inputs = node.inputs.map((tensor) => this.#host(tensor, live));
      const output = this.#host(node.output, live);
      operation.reference({ inputs, attributes: node.attributes as never, output });
    }
  }

  async runAsync(live: LiveSizes): Promise<void> {
    this.run(live);
  }

  dispose(): void {
    this.#memory.clear();
  }

  #hold(tensor: Tensor, data: Float32Array | Int32Array): void {
    this.#memory.set(tensor, { data, storage: tensor.type === "i32" ? "i32" : "f32" });
  }

  #data(tensor: Tensor): Float32Array | Int32Array {
    const held = this.#memory.get(memoryOf(tensor));
    assert(held !== undefined, `${tensor.name || `tensor ${tensor.id}`} has no memory in this program`);
    return held.data;
  }

  #host(tensor: Tensor, live: LiveSizes): HostTensor {
    const shape = liveShape(tensor, live);
    const held = this.#memory.get(memoryOf(tensor))!;
    const elements = shape.reduce((product, extent) => product * extent, 1);
    return { shape, data: held.data.subarray(0, elements), storage: held.storage };
  }
}
