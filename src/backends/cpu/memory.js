/** Memory of the C runtime, held by somebody and given back once. */
import { DisposedError } from "../../core/errors.js";
/** A block of memory. Freed by `dispose`, once. */
export class CpuMemory {
    runtime;
    bytes;
    #address;
    #disposed = false;
    constructor(runtime, bytes) {
        this.runtime = runtime;
        this.bytes = bytes;
        this.#address = runtime.allocate(bytes);
    }
    /** @throws DisposedError when the memory was given back. */
    get address() {
        if (this.#disposed)
            throw new DisposedError("memory of the CPU backend");
        return this.#address;
    }
    floats(offset = 0, count = (this.bytes - offset) >>> 2) {
        const bytes = this.#view();
        return new Float32Array(bytes.buffer, bytes.byteOffset + offset, count);
    }
    integers(offset = 0, count = (this.bytes - offset) >>> 2) {
        const bytes = this.#view();
        return new Int32Array(bytes.buffer, bytes.byteOffset + offset, count);
    }
    /** Copies numbers to the start of the block. */
    write(values) {
        this.#view().set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    dispose() {
        if (this.#disposed)
            return;
        this.#disposed = true;
        this.runtime.release(this.#address, this.bytes);
    }
    #view() {
        return this.runtime.view(this.address, this.bytes);
    }
}
/** A packed weight matrix [out, in]. */
export class CpuMatrix extends CpuMemory {
    storage;
    constructor(runtime, bytes, storage) {
        super(runtime, bytes);
        this.storage = storage;
        runtime.preferLargePages?.(this.address, bytes);
    }
}
/** Numbers in their plain order: vectors, small tables, constants. */
export class CpuPlain extends CpuMemory {
    constructor(runtime, values) {
        super(runtime, values.byteLength);
        this.write(values);
    }
}
/** A state, open to the host between runs. */
export class CpuState extends CpuMemory {
    elements;
    #data;
    constructor(runtime, elements) {
        super(runtime, elements * 4);
        this.elements = elements;
        try {
            this.#data = this.floats();
        }
        catch (error) {
            this.dispose();
            throw error;
        }
    }
    get data() {
        return this.#data;
    }
}
