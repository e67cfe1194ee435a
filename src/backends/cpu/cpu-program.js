/** A graph compiled for the C runtime: a plan in its memory, an arena, and the live sizes of a run. */
import { assert, DisposedError, InternalError, OutOfRangeError } from "../../core/errors.js";
import { memoryOf } from "../../graph/plan.js";
import { capacityElements } from "../../graph/tensor.js";
import { lowerPlan, scratchBytes } from "./lower.js";
import { CpuMatrix, CpuMemory, CpuPlain } from "./memory.js";
export class CpuProgram {
    runtime;
    arenaBytes;
    #places = new Map();
    #owned = [];
    #dimensions;
    #live;
    #liveSizes;
    #plan;
    #words;
    #state = "idle";
    /** @param resources - what each parameter and state is, by name */
    constructor(runtime, plan, resources) {
        this.runtime = runtime;
        this.arenaBytes = plan.arenaBytes;
        try {
            this.#dimensions = liveDimensions(plan);
            this.#layOut(plan, resources);
            this.#live = this.#own(new CpuMemory(runtime, Math.max(1, this.#dimensions.length) * 4));
            this.#liveSizes = this.#live.integers();
            const words = this.#lower(plan);
            this.#words = words.length;
            this.#plan = this.#own(new CpuMemory(runtime, words.byteLength));
            this.#plan.write(words);
        }
        catch (error) {
            this.dispose();
            throw error;
        }
    }
    /** Finds memory for every tensor: its own, or a part of the arena. */
    #layOut(plan, resources) {
        for (const tensor of [...plan.parameters, ...plan.states]) {
            this.#places.set(tensor, { memory: memoryNamed(tensor.name, resources), offset: 0 });
        }
        for (const tensor of plan.constants) {
            if (tensor.origin.kind === "constant")
                this.#place(tensor, new CpuPlain(this.runtime, tensor.origin.values));
        }
        const arena = this.#own(new CpuMemory(this.runtime, plan.arenaBytes));
        for (const [tensor, offset] of plan.offsets)
            this.#places.set(tensor, { memory: arena, offset });
    }
    integers(input) {
        const { memory, offset } = this.#placeOf(input);
        return memory.integers(offset, capacityElements(input));
    }
    floats(tensor) {
        const { memory, offset } = this.#placeOf(tensor);
        return memory.floats(offset, capacityElements(tensor));
    }
    run(live) {
        this.#prepare(live);
        this.runtime.run(this.#plan.address, this.#words, this.#live.address);
    }
    async runAsync(live) {
        this.#prepare(live);
        this.#state = "running";
        try {
            await this.runtime.runAsync(this.#plan.address, this.#words, this.#live.address);
        }
        finally {
            this.#state = "idle";
        }
    }
    dispose() {
        if (this.#state === "running")
            throw new InternalError("a program was disposed while it was running");
        this.#state = "disposed";
        for (const memory of this.#owned)
            memory.dispose();
        this.#places.clear();
    }
    #prepare(live) {
        if (this.#state === "disposed")
            throw new DisposedError("a program");
        if (this.#state === "running")
            throw new InternalError("a program was run while it was running");
        for (const [index, { name, capacity }] of this.#dimensions.entries()) {
            const size = live[name];
            assert(size !== undefined, `no live size for ${name}`);
            if (!Number.isInteger(size) || size < 0 || size > capacity)
                throw new OutOfRangeError(name, `0 to ${capacity}`, size);
            this.#liveSizes[index] = size;
        }
    }
    #lower(plan) {
        const storageOf = (tensor) => {
            const { memory } = this.#placeOf(tensor);
            return memory instanceof CpuMatrix ? memory.storage : undefined;
        };
        const scratch = scratchBytes(plan, this.runtime.threads, storageOf);
        const names = this.#dimensions.map((dimension) => dimension.name);
        return lowerPlan(plan, names, {
            of: (tensor) => this.#addressOf(tensor),
            storageOf,
            quantized: this.#scratch(scratch.quantized),
            scores: this.#scratch(scratch.scores),
        });
    }
    #scratch(bytes) {
        return bytes === 0 ? 0 : this.#own(new CpuMemory(this.runtime, bytes)).address;
    }
    #own(memory) {
        this.#owned.push(memory);
        return memory;
    }
    #place(tensor, memory) {
        this.#places.set(tensor, { memory: this.#own(memory), offset: 0 });
    }
    #placeOf(tensor) {
        if (this.#state === "disposed")
            throw new DisposedError("a program");
        const place = this.#places.get(memoryOf(tensor));
        assert(place !== undefined, `${tensor.name || `tensor ${tensor.id}`} has no memory in this program`);
        return place;
    }
    #addressOf(tensor) {
        const { memory, offset } = this.#placeOf(tensor);
        return memory.address + offset;
    }
}
function memoryNamed(name, resources) {
    const resource = resources.get(name);
    assert(resource instanceof CpuMemory, `no resource of this backend for ${name}`);
    return resource;
}
/** Every live dimension of a plan, once. */
function liveDimensions(plan) {
    const found = new Map();
    const tensors = [...plan.inputs, ...plan.nodes.flatMap((node) => [node.output, ...node.inputs])];
    for (const [extent] of tensors.map((tensor) => tensor.shape)) {
        if (extent !== undefined && typeof extent !== "number")
            found.set(extent.name, extent);
    }
    return [...found.values()];
}
