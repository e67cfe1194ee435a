/** Memory of the C runtime, held by somebody and given back once. */
import { DisposedError } from "../../core/errors.js";
import type { StateResource } from "../backend.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import type { PackedStorage } from "./instructions.js";

/** A block of memory. Freed by `dispose`, once. */
export class CpuMemory {
  readonly #address: number;
  #disposed = false;

  constructor(
    readonly runtime: CpuRuntime,
    readonly bytes: number,
  ) {
    this.#address = runtime.allocate(bytes);
  }

  /** @throws DisposedError when the memory was given back. */
  get address(): number {
    if (this.#disposed) throw new DisposedError("memory of the CPU backend");
    return this.#address;
  }

  floats(offset = 0, count = (this.bytes - offset) >>> 2): Float32Array {
    const bytes = this.#view();
    return new Float32Array(bytes.buffer, bytes.byteOffset + offset, count);
  }

  integers(offset = 0, count = (this.bytes - offset) >>> 2): Int32Array {
    const bytes = this.#view();
    return new Int32Array(bytes.buffer, bytes.byteOffset + offset, count);
  }

  /** Whole numbers of 64 bits. */
  longs(): BigInt64Array {
    const bytes = this.#view();
    return new BigInt64Array(bytes.buffer, bytes.byteOffset, this.bytes >>> 3);
  }

  /** The first `count` bytes. */
  bytesView(count: number): Uint8Array {
    return this.#view().subarray(0, count);
  }

  /** Copies numbers to the start of the block. */
  write(values: Float32Array | Int32Array | BigInt64Array): void {
    this.#view().set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.runtime.release(this.#address, this.bytes);
  }

  #view(): Uint8Array {
    return this.runtime.view(this.address, this.bytes);
  }
}

/** A packed weight matrix [out, in]. */
export class CpuMatrix extends CpuMemory {
  constructor(
    runtime: CpuRuntime,
    bytes: number,
    readonly storage: PackedStorage,
  ) {
    super(runtime, bytes);
    runtime.preferLargePages?.(this.address, bytes);
  }
}

/** Numbers in their plain order: vectors, small tables, constants. */
export class CpuPlain extends CpuMemory {
  constructor(runtime: CpuRuntime, values: Float32Array | Int32Array) {
    super(runtime, values.byteLength);
    this.write(values);
  }
}

/** A state, open to the host between runs. */
export class CpuState extends CpuMemory implements StateResource {
  readonly #data: Float32Array;

  constructor(
    runtime: CpuRuntime,
    readonly elements: number,
  ) {
    super(runtime, elements * 4);
    try {
      this.#data = this.floats();
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  get data(): Float32Array {
    return this.#data;
  }
}
