/**
 * A graph: tensors and the operations between them, in the order in which they were written.
 *
 * Model code calls the functions in `operations/`; each adds one node here. Order of writing is order of running,
 * so an operation that writes a state (a KV cache) comes before the ones that read what it wrote.
 */
import { assert } from "../core/errors.js";
export class Graph {
    nodes = [];
    tensors = [];
    #named = new Map();
    #scopes = [];
    /** A dimension whose size is settled at each run. */
    dimension(name, capacity) {
        return { name, capacity };
    }
    /** A tensor that the caller fills before each run. */
    input(name, shape, type) {
        return this.#add({ name, shape, type, origin: { kind: "input" } });
    }
    /** A weight; asking twice for one name gives the same tensor, so tied weights are one. */
    parameter(name, shape, layout) {
        const existing = this.#named.get(name);
        if (existing !== undefined)
            return existing;
        const origin = { kind: "parameter", layout: layout ?? (shape.length === 2 ? "matrix" : "plain") };
        return this.#add({ name, shape, type: "f32", origin });
    }
    constant(name, shape, values) {
        const existing = this.#named.get(name);
        if (existing !== undefined)
            return existing;
        const type = values instanceof Float32Array ? "f32" : "i32";
        return this.#add({ name, shape, type, origin: { kind: "constant", values } });
    }
    /** Memory that lives on between runs. */
    state(name, shape) {
        return this.#add({ name, shape, type: "f32", origin: { kind: "state" } });
    }
    /** Names given inside `body` are prefixed: `graph.scope("blocks.0.", () => …)`. */
    scope(name, body) {
        this.#scopes.push(name);
        try {
            return body();
        }
        finally {
            this.#scopes.pop();
        }
    }
    /** Gives a result its place in the model, so that it can be asked for by name. A result may have several. */
    name(name, tensor) {
        assert(tensor.origin.kind === "result", `${tensor.name} is a source and has its name`);
        const full = [...this.#scopes, name].join("");
        assert(!this.#named.has(full), `two tensors named ${full}`);
        if (tensor.name === "")
            tensor.name = full;
        this.#named.set(full, tensor);
        return tensor;
    }
    /** The tensor of that name, or undefined. */
    find(name) {
        return this.#named.get(name);
    }
    /** Names of all results that were named, in order of naming. */
    resultNames() {
        return [...this.#named].filter(([, tensor]) => tensor.origin.kind === "result").map(([name]) => name);
    }
    /** Adds a node; called by the functions in `operations/` after they have checked shapes. */
    apply(operation, inputs, attributes, shape, type) {
        for (const input of inputs)
            assert(input.graph === this, `${operation}: a tensor of another graph`);
        const node = { operation, inputs, attributes };
        node.output = this.#add({ name: "", shape, type, origin: { kind: "result", node } });
        this.nodes.push(node);
        return node.output;
    }
    #add(fields) {
        const tensor = { graph: this, id: this.tensors.length, ...fields };
        if (fields.name !== "") {
            assert(!this.#named.has(fields.name), `two tensors named ${fields.name}`);
            this.#named.set(fields.name, tensor);
        }
        this.tensors.push(tensor);
        return tensor;
    }
}
