/** `loadModel` where there is no Node: from files or from a web address, on the WebAssembly backend. */
import { CpuBackend } from "./backends/cpu/cpu-backend.js";
import { BrowserWasmHost } from "./backends/cpu/wasm-host.browser.js";
import { createWasmRuntime } from "./backends/cpu/wasm-runtime.js";
import { FileNotFoundError, InvalidValueError } from "./core/errors.js";
import { rejectUnknownOptions } from "./core/options.js";
import { tokenizerFileNames } from "./formats/index.js";
import type { Model } from "./generation/model.js";
import { type ModelOptions, modelFrom, modelOptionNames } from "./load-model.js";
import { openFiles } from "./models/open-files.js";

export interface LoadModelOptions extends ModelOptions {
  /** Where the files of the package's `dist/wasm/` are served, with a slash at the end. */
  readonly kernels: string | URL;
  /** Threads to compute with. Default: one per core; pages that are not cross-origin isolated have one. */
  readonly threads?: number;
  /** "simd128", "relaxed_simd", "relaxed_dot" or "relaxed_signed_dot". Default: the best that the browser has. */
  readonly instructionSet?: string;
}

/** Where a model comes from: the address of a folder or file, files that a person chose, or blobs by name. */
export type ModelSource = string | URL | readonly File[] | ReadonlyMap<string, Blob>;

/**
 * Loads a checkpoint: a Hugging Face folder, a GGUF file, a llama2.c file.
 *
 * @example
 * const model = await loadModel("/models/stories/", { kernels: "/hitherto/wasm/" });
 * for await (const step of model.generate("Once upon a time")) output.append(step.text);
 *
 * @throws FileNotFoundError, UnsupportedError, FormatError, MissingTensorError, ShapeError, OutOfMemoryError
 */
export async function loadModel(source: ModelSource, options: LoadModelOptions): Promise<Model> {
  rejectUnknownOptions(options, [...modelOptionNames, "kernels", "threads", "instructionSet"]);
  if (options.kernels === undefined) throw new InvalidValueError("kernels", "the address of dist/wasm/", undefined);
  const name = typeof source === "string" || source instanceof URL ? String(source) : "files";
  const checkpoint = await openFiles(await filesOf(source, options.signal), name);
  const threads = options.threads ?? navigator.hardwareConcurrency ?? 1;
  const host = new BrowserWasmHost(new URL(options.kernels, globalThis.location?.href));
  const runtime = await createWasmRuntime(host, { threads, instructionSet: options.instructionSet });
  const backend = new CpuBackend(runtime);
  try {
    return await modelFrom(checkpoint, backend, options, () => backend.dispose());
  } catch (error) {
    await backend.dispose();
    throw error;
  } finally {
    await checkpoint.close();
  }
}

async function filesOf(source: ModelSource, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Blob>> {
  if (typeof source === "string" || source instanceof URL) {
    const address = new URL(source, globalThis.location?.href);
    const file = address.pathname.split("/").at(-1)!;
    if (/\.(gguf|bin)$/.test(file)) return new Map([[file, await fetched(address, signal)]]);
    return fetchFolder(new URL(`${address.href.replace(/\/$/, "")}/`), signal);
  }
  return Array.isArray(source)
    ? new Map((source as readonly File[]).map((file) => [file.name, file]))
    : (source as ReadonlyMap<string, Blob>);
}

/** The files of a Hugging Face folder: a server lists nothing, so each that may be there is asked for. */
async function fetchFolder(folder: URL, signal: AbortSignal | undefined): Promise<Map<string, Blob>> {
  const files = new Map<string, Blob>([["config.json", await fetched(new URL("config.json", folder), signal)]]);
  const optional = async (name: string): Promise<void> => {
    const response = await fetch(new URL(name, folder), { signal });
    if (response.ok) files.set(name, await response.blob());
  };
  await Promise.all(["generation_config.json", ...tokenizerFileNames].map(optional));
  await optional("model.safetensors");
  if (files.has("model.safetensors")) return files;
  const index = await fetched(new URL("model.safetensors.index.json", folder), signal);
  files.set("model.safetensors.index.json", index);
  for (const shard of shardsOf(await index.text())) files.set(shard, await fetched(new URL(shard, folder), signal));
  return files;
}

/** File names in an index of shards. What is wrong with it, the reader says. */
function shardsOf(index: string): string[] {
  try {
    const { weight_map: map } = JSON.parse(index) as { weight_map?: Record<string, unknown> };
    return [...new Set(Object.values(map ?? {}))].filter(
      (name) => typeof name === "string" && !/[/\\]/.test(name),
    ) as string[];
  } catch {
    return [];
  }
}

async function fetched(address: URL, signal: AbortSignal | undefined): Promise<Blob> {
  const response = await fetch(address, { signal });
  if (!response.ok) throw new FileNotFoundError(address.href, `a file (the server answered ${response.status})`);
  return response.blob();
}
