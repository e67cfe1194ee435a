/**
 * A graph: tensors and the operations between them, in the order in which they were written.
 *
 * Model code calls the functions in `operations/`; each adds one node here. Order of writing is order of running,
 * so an operation that writes a state (a KV cache) comes before the ones that read what it wrote.
 */
import { assert } from "../core/errors.js";
import type { ElementType, LiveDimension, Node, Shape, Tensor } from "./tensor.js";

export class Graph {
  readonly nodes: Node[] = [];
  readonly tensors: Tensor[] = [];
  /** What linear maps by weights of a model have beside them, by the place of the map. Set before the first is built. */
  beside: ((place: string, x: Tensor, y: Tensor) => Tensor) | undefined;
  readonly #named = new Map<string, Tensor>();
  readonly #scopes: string[] = [];

  /** A dimension whose size is settled at each run. */
  dimension(name: string, capacity: number): LiveDimension {
    return { name, capacity };
  }

  /** A tensor that the caller fills before each run. */
  input(name: string, shape: Shape, type: ElementType): Tensor {
    return this.#add({ name, shape, type, origin: { kind: "input" } });
  }

  /** A weight; asking twice for one name gives the same tensor, so tied weights are one. */
  parameter(name: string, shape: readonly number[], layout?: "matrix" | "plain"): Tensor {
    const existing = this.#named.get(name);
    if (existing !== undefined) return existing;
    const origin = { kind: "parameter", layout: layout ?? (shape.length === 2 ? "matrix" : "plain") } as const;
    return this.#add({ name, shape, type: "f32", origin });
  }

  constant(name: string, shape: readonly number[], values: Float32Array | Int32Array): Tensor {
    const existing = this.#named.get(name);
    if (existing !== undefined) return existing;
    const type = values instanceof Float32Array ? "f32" : "i32";
    return this.#add({ name, shape, type, origin: { kind: "constant", values } });
  }

  /** Memory that lives on between runs. */
  state(name: string, shape: readonly number[]): Tensor {
    return this.#add({ name, shape, type: "f32", origin: { kind: "state" } });
  }

  /** Names given inside `body` are prefixed: `graph.scope("blocks.0.", () => …)`. */
  scope<T>(name: string, body: () => T): T {
    this.#scopes.push(name);
    try {
      return body();
    } finally {
      this.#scopes.pop();
    }
  }

  /** Gives a result its place in the model, so that it can be asked for by name. A result may have several. */
  name(name: string, tensor: Tensor): Tensor {
    assert(tensor.origin.kind === "result", `${tensor.name} is a source and has its name`);
    const full = [...this.#scopes, name].join("");
    assert(!this.#named.has(full), `two tensors named ${full}`);
    if (tensor.name === "") (tensor as { name: string }).name = full;
    this.#named.set(full, tensor);
    return tensor;
  }

  /** The tensor of that name, or undefined. */
  find(name: string): Tensor | undefined {
    return this.#named.get(name);
  }

  /** Names of all results that were named, in order of naming. */
  resultNames(): string[] {
    return [...this.#named].filter(([, tensor]) => tensor.origin.kind === "result").map(([name]) => name);
  }

  /** Adds a node; called by the functions in `operations/` after they have checked shapes. */
  apply(operation: string, inputs: readonly Tensor[], attributes: object, shape: Shape, type: ElementType): Tensor {
    return this.applyMany(operation, inputs, attributes, [{ shape, type }])[0]!;
  }

  /** Adds a node with several results, of these shapes and types. */
  applyMany(
    operation: string,
    inputs: readonly Tensor[],
    attributes: object,
    outputs: readonly { readonly shape: Shape; readonly type: ElementType }[],
  ): readonly Tensor[] {
    for (const input of inputs) assert(input.graph === this, `${operation}: a tensor of another graph`);
    const scope = this.#scopes.join("");
    const node = { operation, inputs, attributes, scope } as { -readonly [K in keyof Node]: Node[K] };
    node.outputs = outputs.map(({ shape, type }) =>
      this.#add({ name: "", shape, type, origin: { kind: "result", node } }),
    );
    node.output = node.outputs[0]!;
    this.nodes.push(node);
    return node.outputs;
  }

  #add(fields: Omit<Tensor, "graph" | "id">): Tensor {
    const tensor: Tensor = { graph: this, id: this.tensors.length, ...fields };
    if (fields.name !== "") {
      assert(!this.#named.has(fields.name), `two tensors named ${fields.name}`);
      this.#named.set(fields.name, tensor);
    }
    this.tensors.push(tensor);
    return tensor;
  }
}
