/**
 * The CPU backend: programs as plans of the C runtime, native or WebAssembly.
 *
 * Matrices are packed into panels as they are read, block by block, so a second copy never exists.
 */
import { DisposedError, UnsupportedError } from "../../core/errors.js";
import { type StorageType, storageBytes } from "../../core/storage.js";
import type { Graph } from "../../graph/graph.js";
import { planGraph } from "../../graph/plan.js";
import type {
  Backend,
  CompileOptions,
  LimitOptions,
  MachineLimits,
  MatrixSource,
  Program,
  Resource,
  StateResource,
} from "../backend.js";
import { CpuProgram } from "./cpu-program.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import { matrixStorageIds, type PackedStorage } from "./instructions.js";
import { measureLimits } from "./limits.js";
import { CpuMatrix, CpuPlain, CpuState } from "./memory.js";

/** Bytes of a matrix that are read at a time, about. */
const readBytes = 4 << 20;
/** Rows in a panel of a packed matrix. Whole panels pack fastest. */
const panelRows = 16;

export class CpuBackend implements Backend {
  readonly matrixStorage: ReadonlySet<StorageType> = new Set(Object.keys(matrixStorageIds) as PackedStorage[]);
  #disposed = false;

  constructor(readonly runtime: CpuRuntime) {}

  get name(): "native" | "wasm" {
    return this.runtime.name;
  }

  get instructionSet(): string {
    return this.runtime.instructionSet;
  }

  get threads(): number {
    return this.runtime.threads;
  }

  /** @throws UnsupportedError for a storage type that is not in `matrixStorage`; OutOfMemoryError. */
  async loadMatrix(source: MatrixSource): Promise<Resource> {
    this.#requireOpen();
    if (!isPacked(source.storage)) {
      throw new UnsupportedError(`storage type of ${source.name}`, source.storage, [...this.matrixStorage]);
    }
    const [out, width] = source.shape;
    const storage = matrixStorageIds[source.storage];
    const matrix = new CpuMatrix(this.runtime, this.runtime.packedBytes(storage, out, width), source.storage);
    try {
      const rowBytes = storageBytes(source.storage, width);
      const step = Math.min(out, Math.max(1, Math.floor(readBytes / rowBytes / panelRows)) * panelRows);
      const buffer = new Uint8Array(step * rowBytes);
      for (let first = 0; first < out; first += step) {
        const count = Math.min(step, out - first);
        const rows = buffer.subarray(0, count * rowBytes);
        await source.readRows(first, count, rows);
        this.runtime.packRows(matrix.address, rows, storage, [out, width], first, count);
      }
      return matrix;
    } catch (error) {
      matrix.dispose();
      throw error;
    }
  }

  loadPlain(values: Float32Array | Int32Array): Resource {
    this.#requireOpen();
    return new CpuPlain(this.runtime, values);
  }

  allocateState(elements: number): StateResource {
    this.#requireOpen();
    return new CpuState(this.runtime, elements);
  }

  compile(_graph: Graph, options: CompileOptions): Program {
    this.#requireOpen();
    return new CpuProgram(this.runtime, planGraph(options.outputs), options.resources);
  }

  async measureLimits(options: LimitOptions): Promise<MachineLimits> {
    this.#requireOpen();
    return measureLimits(this.runtime, options);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.runtime.dispose();
  }

  #requireOpen(): void {
    if (this.#disposed) throw new DisposedError("the CPU backend");
  }
}

function isPacked(storage: StorageType): storage is PackedStorage {
  return Object.hasOwn(matrixStorageIds, storage);
}
