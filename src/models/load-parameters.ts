/** Moves every parameter that a graph reads from a checkpoint into a backend's memory, one piece at a time. */
import type { Backend, MatrixSource, Resource } from "../backends/backend.js";
import { InternalError } from "../core/errors.js";
import { narrowToHalves } from "../core/half.js";
import { type StorageType, storageBytes, storageTypes } from "../core/storage.js";
import type { Tensor } from "../graph/tensor.js";
import type { Fingerprint } from "./fingerprint.js";
import { type Checkpoint, type LocatedRows, locate, type Recipe, type Recipes, type ToFloats } from "./weights.js";

export interface LoadProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Told when a matrix cannot stay as it is stored. */
  readonly onRepack?: (repack: Repack) => void;
  /** Notes what is read. */
  readonly fingerprint?: Fingerprint;
}

/** A matrix whose storage type the backend has no kernel for, and what it becomes. */
export interface Repack {
  readonly parameter: string;
  readonly from: StorageType;
  readonly to: StorageType;
}

/**
 * Loads `parameters` that `resources` does not hold yet, and adds them to it.
 * @throws MissingTensorError, ShapeError, and the signal's reason when it is aborted
 */
export async function loadParameters(
  backend: Backend,
  checkpoint: Checkpoint,
  recipes: Recipes,
  parameters: readonly Tensor[],
  resources: Map<string, Resource>,
  toFloats: ToFloats,
  options: LoadOptions = {},
): Promise<void> {
  const wanted = parameters.filter((tensor) => !resources.has(tensor.name));
  const located = locateParameters(checkpoint, recipes, wanted, toFloats);
  const totalBytes = located.reduce((sum, { rows }) => sum + bytesOf(rows), 0);
  let loadedBytes = 0;
  const note = (bytes: number): void => {
    options.signal?.throwIfAborted();
    loadedBytes += bytes;
    options.onProgress?.({ loadedBytes, totalBytes });
  };
  const load = async ({ tensor, recipe, rows: found }: LocatedParameter): Promise<void> => {
    options.signal?.throwIfAborted();
    const rows = options.fingerprint?.watch(tensor.name, found) ?? found;
    if (tensor.origin.kind === "parameter" && tensor.origin.layout === "matrix") {
      const source = counted(suitable(backend, rows, toFloats, options), note, bytesOf(rows));
      resources.set(tensor.name, await backend.loadMatrix(source));
    } else {
      resources.set(tensor.name, backend.loadPlain(await plainValues(rows, recipe.plus ?? 0, toFloats)));
      note(bytesOf(rows));
    }
  };
  await forEachOf(located, backend.concurrentLoads, load);
}

/** Does `work` on every item in order, up to `count` at once. After a failure no more begins, and all that did ends. */
async function forEachOf<T>(items: readonly T[], count: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const item of rest) {
      if (failed) return;
      await work(item).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: count }, worker));
  for (const result of workers) if (result.status === "rejected") throw result.reason;
}

interface LocatedParameter {
  readonly tensor: Tensor;
  readonly recipe: Recipe;
  readonly rows: LocatedRows;
}

/** Finds every parameter; nothing is read. @throws MissingTensorError, ShapeError, UnsupportedError */
export function locateParameters(
  checkpoint: Checkpoint,
  recipes: Recipes,
  parameters: readonly Tensor[],
  toFloats: ToFloats,
): LocatedParameter[] {
  return parameters.map((tensor) => {
    const recipe = recipes.get(tensor.name);
    if (recipe === undefined) throw new InternalError(`no recipe for parameter ${tensor.name}`);
    return { tensor, recipe, rows: locate(checkpoint, tensor.name, tensor.shape as number[], recipe, toFloats) };
  });
}

function bytesOf({ storage, shape: [rows, columns] }: LocatedRows): number {
  return storageBytes(storage, rows * columns);
}

async function plainValues(rows: LocatedRows, plus: number, toFloats: ToFloats): Promise<Float32Array> {
  const bytes = new Uint8Array(bytesOf(rows));
  await rows.readRows(0, rows.shape[0], bytes);
  const values = new Float32Array(rows.shape[0] * rows.shape[1]);
  toFloats(rows.storage, bytes, values);
  return plus === 0 ? values : values.map((value) => value + plus);
}

/** The same rows with every read counted. */
function counted(source: MatrixSource, note: (bytes: number) => void, totalBytes: number): MatrixSource {
  const rowBytes = totalBytes / source.shape[0];
  return {
    ...source,
    readRows: async (first, count, into) => {
      await source.readRows(first, count, into);
      note(rowBytes * count);
    },
  };
}

/**
 * The rows in a storage type that the backend computes with: as stored where it can, else float16 for quantized
 * blocks (their few bits fit its eleven) and float32 for plain numbers.
 */
function suitable(backend: Backend, rows: LocatedRows, toFloats: ToFloats, options: LoadOptions): MatrixSource {
  if (backend.matrixStorage.has(rows.storage)) return rows;
  const to: StorageType = storageTypes[rows.storage].blockSize > 1 ? "f16" : "f32";
  options.onRepack?.({ parameter: rows.name, from: rows.storage, to });
  const columns = rows.shape[1];
  const readRows = async (first: number, count: number, into: Uint8Array): Promise<void> => {
    const bytes = new Uint8Array(storageBytes(rows.storage, count * columns));
    await rows.readRows(first, count, bytes);
    const values = new Float32Array(count * columns);
    toFloats(rows.storage, bytes, values);
    if (to === "f32") return into.set(new Uint8Array(values.buffer));
    const halves = new Uint16Array(values.length);
    narrowToHalves(values, halves);
    into.set(new Uint8Array(halves.buffer));
  };
  return { ...rows, storage: to, readRows };
}
