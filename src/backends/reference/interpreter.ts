/**
 * Runs a plan by the definitions of its operations, on arrays of float32 or of float64.
 *
 * float32 is what the other backends hold, so their results can be compared with these; float64 is for finite
 * differences, which float32 would drown in rounding.
 */
import { assert, InternalError } from "../../core/errors.js";
import type { StorageType } from "../../core/storage.js";
import type { Floats, HostTensor, Products } from "../../graph/operation.js";
import { operations } from "../../graph/operations/index.js";
import { memoryOf, type Plan } from "../../graph/plan.js";
import { capacityElements, type LiveSizes, liveShape, type Tensor } from "../../graph/tensor.js";

export type FloatArray = Float32ArrayConstructor | Float64ArrayConstructor;

/** The memory of a parameter or a state. */
export interface Held {
  readonly data: Floats | Int32Array;
  readonly storage: StorageType;
  /** A matrix that was packed, not plain rows. */
  readonly packed: boolean;
}

export class Interpreter {
  readonly #memory = new Map<Tensor, Held>();

  /** @param source - the memory of each parameter and state */
  constructor(
    readonly plan: Plan,
    readonly Floats: FloatArray,
    source: (tensor: Tensor) => Held,
    readonly products: Products = "f32",
  ) {
    for (const tensor of [...plan.parameters, ...plan.states]) this.#memory.set(tensor, source(tensor));
    for (const tensor of plan.constants) {
      if (tensor.origin.kind !== "constant") continue;
      const { values } = tensor.origin;
      this.#hold(tensor, values instanceof Int32Array ? values : new Floats(values));
    }
    const widening = Floats.BYTES_PER_ELEMENT / 4;
    const arena = new ArrayBuffer(plan.arenaBytes * widening);
    for (const [tensor, offset] of plan.offsets) {
      const View = tensor.type === "i32" ? Int32Array : Floats;
      this.#hold(tensor, new View(arena, offset * widening, capacityElements(tensor)));
    }
  }

  /** The memory of a tensor, at full capacity. */
  data(tensor: Tensor): Floats | Int32Array {
    const held = this.#memory.get(memoryOf(tensor));
    assert(held !== undefined, `${tensor.name || `tensor ${tensor.id}`} has no memory in this program`);
    return held.data;
  }

  run(live: LiveSizes): void {
    for (const node of this.plan.nodes) {
      const operation = operations.get(node.operation);
      if (operation === undefined) throw new InternalError(`no operation ${node.operation}`);
      const inputs = node.inputs.map((tensor) => this.#host(tensor, live));
      const outputs = node.outputs.map((tensor) => this.#host(tensor, live));
      const attributes = node.attributes as never;
      operation.reference({ inputs, attributes, output: outputs[0]!, outputs, products: this.products });
    }
  }

  clear(): void {
    this.#memory.clear();
  }

  #hold(tensor: Tensor, data: Floats | Int32Array): void {
    this.#memory.set(tensor, { data, storage: tensor.type, packed: false });
  }

  #host(tensor: Tensor, live: LiveSizes): HostTensor {
    const shape = liveShape(tensor, live);
    const { data, storage, packed } = this.#memory.get(memoryOf(tensor))!;
    const elements = shape.reduce((product, extent) => product * extent, 1);
    return { shape, data: data.subarray(0, elements), storage, packed };
  }
}
