/**
 * The CPU backend: programs as plans of the C runtime, native or WebAssembly.
 *
 * Matrices are packed into panels as they are read, piece by piece, so a second copy never exists. While one piece is
 * packed the next ones are read, of this matrix or of others that are loading.
 */
import { DisposedError, UnsupportedError } from "../../core/errors.js";
import { type StorageType, storageBytes } from "../../core/storage.js";
import type { Graph } from "../../graph/graph.js";
import { memoryOf, planGraph } from "../../graph/plan.js";
import type { Tensor } from "../../graph/tensor.js";
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
import { fuseProducts } from "./fuse-products.js";
import { matrixStorageIds, type PackedStorage } from "./instructions.js";
import { keepSlopes } from "./kept-slopes.js";
import { measureLimits } from "./limits.js";
import { CpuMatrix, CpuPlain, CpuState } from "./memory.js";
import { isProduct, spellOutProducts } from "./products.js";
import { roundAttention } from "./rounded-attention.js";
import { joinLosses, roundResults } from "./rounded-results.js";
import { chainRows } from "./row-chains.js";
import { Staging } from "./staging.js";

/** Bytes of a matrix that are read at a time, about: they are still in a cache when they are packed. */
const pieceBytes = 1 << 20;
/** Rows in a panel of a packed matrix. Whole panels pack fastest. */
const panelRows = 16;
/** Pieces packed at once at most: more threads than these wait for memory. */
const mostPacking = 8;

export class CpuBackend implements Backend {
  readonly matrixStorage: ReadonlySet<StorageType> = new Set(Object.keys(matrixStorageIds) as PackedStorage[]);
  readonly #staging: Staging;
  #disposed = false;

  constructor(readonly runtime: CpuRuntime) {
    this.#staging = new Staging(runtime, this.concurrentLoads);
  }

  get name(): "native" | "wasm" {
    return this.runtime.name;
  }

  get instructionSet(): string {
    return this.runtime.instructionSet;
  }

  get threads(): number {
    return this.runtime.threads;
  }

  /** One for every thread that packs, and one that waits for the file meanwhile. */
  get concurrentLoads(): number {
    return Math.min(this.threads, mostPacking) + 1;
  }

  /** @throws UnsupportedError for a storage type that is not in `matrixStorage`; OutOfMemoryError. */
  async loadMatrix(source: MatrixSource): Promise<Resource> {
    this.#requireOpen();
    if (!isPacked(source.storage)) {
      throw new UnsupportedError(`storage type of ${source.name}`, source.storage, [...this.matrixStorage]);
    }
    const [out, width] = source.shape;
    const packed = this.runtime.packedBytes(matrixStorageIds[source.storage], out, width);
    const matrix = new CpuMatrix(this.runtime, packed, source.storage);
    try {
      await this.#packInto(matrix, source);
      return matrix;
    } catch (error) {
      matrix.dispose();
      throw error;
    }
  }

  /** Settles when no piece is on its way any more, also when one has failed. */
  async #packInto(matrix: CpuMatrix, source: MatrixSource): Promise<void> {
    const { shape } = source;
    const [out, width] = shape;
    const storage = matrixStorageIds[matrix.storage];
    const rowBytes = storageBytes(matrix.storage, width);
    const step = Math.min(out, Math.max(1, Math.floor(pieceBytes / rowBytes / panelRows)) * panelRows);
    let failed = false;
    const pack = (first: number) =>
      this.#staging.lend(step * rowBytes, async (memory) => {
        if (failed) return;
        try {
          this.#requireOpen();
          const count = Math.min(step, out - first);
          await source.readRows(first, count, memory.bytesView(count * rowBytes));
          await this.runtime.packRows(matrix.address, memory.address, storage, shape, first, count);
        } catch (error) {
          failed = true;
          throw error;
        }
      });
    const pieces = Array.from({ length: Math.ceil(out / step) }, (_, index) => pack(index * step));
    for (const piece of await Promise.allSettled(pieces)) if (piece.status === "rejected") throw piece.reason;
  }

  loadPlain(values: Float32Array | Int32Array): Resource {
    this.#requireOpen();
    return new CpuPlain(this.runtime, values);
  }

  allocateState(elements: number): StateResource {
    this.#requireOpen();
    return new CpuState(this.runtime, elements);
  }

  compile(_graph: Graph, { outputs, resources, products = "f32" }: CompileOptions): Program {
    this.#requireOpen();
    const isPlain = (matrix: Tensor) => !(resources.get(memoryOf(matrix).name) instanceof CpuMatrix);
    const plan = planGraph(outputs, (nodes) => {
      const plainly = roundResults(joinLosses(spellOutProducts(nodes, isPlain, products)), outputs);
      const hasMatrixUnits = this.instructionSet === "amx" && products === "bf16";
      const spelled = hasMatrixUnits ? roundAttention(plainly, outputs) : plainly;
      return spelled.some(isProduct)
        ? chainRows(keepSlopes(fuseProducts(spelled, outputs), outputs), outputs)
        : spelled;
    });
    return new CpuProgram(this.runtime, plan, resources);
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
