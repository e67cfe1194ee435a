/**
 * The oracle: runs every operation by its definition, in plain TypeScript with float64 sums. Slow and obvious.
 * The other backends are tested against it.
 */
import { assert, InternalError } from "../../core/errors.js";
import { storageBytes, storageTypes } from "../../core/storage.js";
import { operations } from "../../graph/operations/index.js";
import { memoryOf, planGraph } from "../../graph/plan.js";
import { capacityElements, liveShape } from "../../graph/tensor.js";
class HostResource {
    data;
    storage;
    integers;
    constructor(data, storage = "f32", integers) {
        this.data = data;
        this.storage = storage;
        this.integers = integers;
    }
    get bytes() {
        return (this.integers ?? this.data).byteLength;
    }
    dispose() { }
}
export class ReferenceBackend {
    dequantize;
    name = "reference";
    instructionSet = "float64";
    threads = 1;
    matrixStorage = new Set(Object.keys(storageTypes));
    constructor(dequantize) {
        this.dequantize = dequantize;
    }
    async loadMatrix(source) {
        const [rows, columns] = source.shape;
        const values = new Float32Array(rows * columns);
        const rowBytes = storageBytes(source.storage, columns);
        const step = Math.max(1, Math.floor((1 << 22) / rowBytes));
        for (let row = 0; row < rows; row += step) {
            const count = Math.min(step, rows - row);
            const bytes = new Uint8Array(count * rowBytes);
            await source.readRows(row, count, bytes);
            this.dequantize(source.storage, bytes, values.subarray(row * columns, (row + count) * columns));
        }
        return new HostResource(values, source.storage);
    }
    loadPlain(values) {
        if (values instanceof Int32Array)
            return new HostResource(new Float32Array(0), "i32", values);
        return new HostResource(values);
    }
    allocateState(elements) {
        return new HostResource(new Float32Array(elements));
    }
    compile(_graph, options) {
        return new ReferenceProgram(planGraph(options.outputs), options.resources);
    }
    async dispose() { }
}
class ReferenceProgram {
    plan;
    arenaBytes;
    #memory = new Map();
    constructor(plan, resources) {
        this.plan = plan;
        this.arenaBytes = plan.arenaBytes;
        for (const tensor of [...plan.parameters, ...plan.states]) {
            const resource = resources.get(tensor.name);
            assert(resource instanceof HostResource, `no resource for ${tensor.name}`);
            this.#memory.set(tensor, { data: resource.data, storage: resource.storage });
        }
        for (const tensor of plan.constants) {
            if (tensor.origin.kind === "constant")
                this.#hold(tensor, tensor.origin.values);
        }
        const arena = new ArrayBuffer(plan.arenaBytes);
        for (const [tensor, offset] of plan.offsets) {
            const View = tensor.type === "i32" ? Int32Array : Float32Array;
            this.#hold(tensor, new View(arena, offset, capacityElements(tensor)));
        }
    }
    integers(input) {
        return this.#data(input);
    }
    floats(tensor) {
        return this.#data(tensor);
    }
    run(live) {
        for (const node of this.plan.nodes) {
            const operation = operations.get(node.operation);
            if (operation === undefined)
                throw new InternalError(`no operation ${node.operation}`);
            const inputs = node.inputs.map((tensor) => this.#host(tensor, live));
            const output = this.#host(node.output, live);
            operation.reference({ inputs, attributes: node.attributes, output });
        }
    }
    async runAsync(live) {
        this.run(live);
    }
    dispose() {
        this.#memory.clear();
    }
    #hold(tensor, data) {
        this.#memory.set(tensor, { data, storage: tensor.type === "i32" ? "i32" : "f32" });
    }
    #data(tensor) {
        const held = this.#memory.get(memoryOf(tensor));
        assert(held !== undefined, `${tensor.name || `tensor ${tensor.id}`} has no memory in this program`);
        return held.data;
    }
    #host(tensor, live) {
        const shape = liveShape(tensor, live);
        const held = this.#memory.get(memoryOf(tensor));
        const elements = shape.reduce((product, extent) => product * extent, 1);
        return { shape, data: held.data.subarray(0, elements), storage: held.storage };
    }
}
