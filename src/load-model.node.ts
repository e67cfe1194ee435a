/** `loadModel` in Node: a path, the best backend that this machine has, and a model. */
import { availableParallelism } from "node:os";
import type { Backend } from "./backends/backend.js";
import { CpuBackend } from "./backends/cpu/cpu-backend.js";
import { createNativeRuntime, nativeInstructionSets, whyNoNativeRuntime } from "./backends/cpu/native-runtime.node.js";
import { NodeWasmHost } from "./backends/cpu/wasm-host.node.js";
import { createWasmRuntime } from "./backends/cpu/wasm-runtime.js";
import { ReferenceBackend } from "./backends/reference/reference-backend.js";
import { HithertoError, InvalidValueError, UnsupportedError } from "./core/errors.js";
import { rejectUnknownOptions } from "./core/options.js";
import { modelPath } from "./embedded-models.node.js";
import { dequantize } from "./formats/index.js";
import { openFolder } from "./formats/index.node.js";
import type { LoadedAdapter } from "./generation/loaded-adapter.js";
import type { Model } from "./generation/model.js";
import { type ModelOptions, modelFrom, modelOptionNames } from "./load-model.js";
import { withAdapter } from "./models/adapters/merge.js";
import { type AdapterFile, openAdapter } from "./models/adapters/peft.js";
import { openCheckpoint } from "./models/open.node.js";

export const backendNames = ["native", "wasm", "reference"] as const;
export type BackendName = (typeof backendNames)[number];

export interface LoadModelOptions extends ModelOptions {
  /** Default: native where it was built, else wasm. */
  readonly backend?: BackendName;
  /** Threads to compute with. Default: one per core. */
  readonly threads?: number;
  /** Use a lower instruction set than the best of those that `availableInstructionSets` names, such as "avx2". */
  readonly instructionSet?: string;
  /** A tokenizer file to use instead of the checkpoint's own: `.json`, SentencePiece `.model`, llama2.c `.bin`. */
  readonly tokenizer?: string;
  /** A folder with a LoRA adapter of Hugging Face PEFT, to be merged into the weights of a Hugging Face folder. */
  readonly adapter?: string;
}

/**
 * Loads a checkpoint: a Hugging Face folder, a GGUF or safetensors file, a llama2.c file; or a model that lies inside
 * the package, by its name.
 *
 * @example
 * await using model = await loadModel("stories");
 * for await (const step of model.generate("Once upon a time")) process.stdout.write(step.text);
 *
 * @throws FileNotFoundError, UnsupportedError, FormatError, MissingTensorError, ShapeError, OutOfMemoryError
 */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<Model> {
  rejectUnknownOptions(options, [...modelOptionNames, "backend", "threads", "instructionSet", "tokenizer", "adapter"]);
  if (typeof path !== "string") throw new InvalidValueError("path", "a path", path);
  const checkpoint = await openCheckpoint(modelPath(path), { tokenizer: options.tokenizer });
  let backend: Backend | undefined;
  let adapter: AdapterFile | undefined;
  try {
    if (options.adapter !== undefined) adapter = await openAdapter(await openFolder(options.adapter));
    const adapted = adapter === undefined ? checkpoint : withAdapter(checkpoint, adapter);
    backend = await createBackend(options);
    const created = backend;
    return await modelFrom(adapted, created, options, () => created.dispose());
  } catch (error) {
    await backend?.dispose();
    throw error;
  } finally {
    await adapter?.[Symbol.asyncDispose]();
    await checkpoint.close();
  }
}

/**
 * Loads a LoRA adapter beside a model, for some of its sessions to have.
 *
 * @example
 * using pirate = await loadAdapter(model, "adapters/pirate");
 * for await (const step of model.generate("Once upon a time", { adapter: pirate })) process.stdout.write(step.text);
 *
 * @param path - a folder as Hugging Face PEFT writes them
 * @throws FileNotFoundError, FormatError, UnsupportedError; InvalidValueError for an adapter of another model
 */
export async function loadAdapter(model: Model, path: string): Promise<LoadedAdapter> {
  await using file = await openAdapter(await openFolder(path));
  return await model.loadAdapter(file);
}

/**
 * The backend that was asked for; without a name the native one where it was built, else WebAssembly.
 * @throws InvalidValueError, UnsupportedError, OutOfRangeError; BackendUnavailableError when native was asked for by name
 */
export async function createBackend(
  options: Pick<LoadModelOptions, "backend" | "threads" | "instructionSet" | "onNotice"> = {},
): Promise<Backend> {
  const { backend, threads, instructionSet } = options;
  if (backend !== undefined && !backendNames.includes(backend)) {
    throw new InvalidValueError("backend", `one of ${backendNames.join(", ")}`, backend);
  }
  if (backend === "reference") {
    const reference = new ReferenceBackend(dequantize);
    if (instructionSet === undefined || instructionSet === reference.instructionSet) return reference;
    throw new UnsupportedError("reference instruction set", instructionSet, [reference.instructionSet]);
  }
  if (backend !== "wasm") {
    const native = createNativeRuntime({ threads, instructionSet });
    if (native !== undefined) return new CpuBackend(native);
    const reason = whyNoNativeRuntime() ?? "no native runtime";
    if (backend === "native") throw new BackendUnavailableError("native", reason);
    options.onNotice?.(`using WebAssembly: ${reason}`);
  }
  const wasm = await createWasmRuntime(new NodeWasmHost(), {
    threads: threads ?? availableParallelism(),
    instructionSet,
  });
  return new CpuBackend(wasm);
}

/** What computes on this machine, unless `loadModel` is asked for something else. */
export interface AvailableInstructionSets {
  readonly backend: BackendName;
  /** The last is the best, which is used. */
  readonly instructionSets: readonly string[];
}

/** The backend that `loadModel` takes without being asked for one, and the instruction sets that it has here. */
export function availableInstructionSets(): AvailableInstructionSets {
  const native = nativeInstructionSets();
  if (native.length > 0) return { backend: "native", instructionSets: native };
  return { backend: "wasm", instructionSets: new NodeWasmHost().instructionSets() };
}

/** A backend was asked for by name and is not there. */
export class BackendUnavailableError extends HithertoError {
  readonly code = "BACKEND_UNAVAILABLE";

  constructor(
    readonly backend: string,
    readonly reason: string,
  ) {
    super(`the ${backend} backend is not available: ${reason}`);
  }
}
