/**
 * A model that can be trained: a configuration, and float32 master weights in a backend's memory, where programs
 * read and write them.
 *
 * It is made from a configuration and a seed, or from any checkpoint that `loadModel` opens. Its weights go out as a
 * Hugging Face folder, and into models that generate.
 */
import type { Backend, StateResource } from "../backends/backend.js";
import type { StoredTensor } from "../core/checkpoint.js";
import { InvalidValueError } from "../core/errors.js";
import { convertTensor, dequantize, type HuggingFaceContents, type JsonObject } from "../formats/index.js";
import type { Tensor } from "../graph/tensor.js";
import { linearModules } from "../models/adapters/modules.js";
import type { AdapterContents, AdapterFile } from "../models/adapters/peft.js";
import { interpret, type OpenedCheckpoint } from "../models/checkpoint.js";
import type { ModelConfig } from "../models/config.js";
import { ConfigReader } from "../models/config-reader.js";
import { toHuggingFace } from "../models/convert/to-hugging-face.js";
import { familyOf } from "../models/families/index.js";
import { type FamilyInput, huggingFaceDialect } from "../models/family.js";
import { locateParameters } from "../models/load-parameters.js";
import { Network } from "../models/network.js";
import { type OriginalTensor, publishedLayouts, publishedTensor, sizeOf } from "../models/published-tensors.js";
import { type Checkpoint, type Recipes, readFloats } from "../models/weights.js";
import { type LoadedTokenizer, loadTokenizer } from "../tokenizers/index.js";
import { Adapter, type LoraOptions } from "./adapter.js";
import { type InitialisationOptions, initialise } from "./initialise.js";

/** What a folder holds beside the weights. */
export interface ModelFiles {
  /** `config.json`, with Hugging Face's keys. */
  readonly config: JsonObject;
  readonly generationConfig?: JsonObject;
  /** By name, as `tokenizerFileNames` lists them. */
  readonly tokenizerFiles: ReadonlyMap<string, Uint8Array>;
}

/** A weight that training changes. */
export interface TrainableParameter {
  readonly name: string;
  /** [out, in] of a matrix, [n] of a vector. */
  readonly shape: readonly number[];
  readonly state: StateResource;
}

export interface CreateOptions {
  readonly backend: Backend;
  /** Of the first weights. Default 0. */
  readonly seed?: number;
  readonly initialisation?: InitialisationOptions;
  /** Files that say how text becomes token ids, by name: copied into folders that are written. */
  readonly tokenizerFiles?: ReadonlyMap<string, Uint8Array>;
  readonly generationConfig?: JsonObject;
}

interface Parts {
  readonly backend: Backend;
  readonly config: ModelConfig;
  readonly recipes: Recipes;
  readonly files: ModelFiles;
  readonly original: ReadonlyMap<string, OriginalTensor>;
  readonly tokenizer?: LoadedTokenizer;
  readonly sourceTokenizer?: LoadedTokenizer;
}

export class TrainableModel implements Disposable {
  readonly backend: Backend;
  readonly files: ModelFiles;
  readonly tokenizer: LoadedTokenizer | undefined;
  readonly sourceTokenizer: LoadedTokenizer | undefined;
  /** In the order of the graphs. */
  readonly parameters: ReadonlyMap<string, TrainableParameter>;
  /** Values that are read but follow from the configuration: tables of sines. */
  readonly computed: readonly Tensor[];
  readonly recipes: Recipes;
  readonly #config: ModelConfig;
  readonly #original: ReadonlyMap<string, OriginalTensor>;
  #adapter: Adapter | undefined;

  private constructor(parts: Parts) {
    this.backend = parts.backend;
    this.#config = parts.config;
    this.files = parts.files;
    this.recipes = parts.recipes;
    this.tokenizer = parts.tokenizer;
    this.sourceTokenizer = parts.sourceTokenizer;
    this.#original = parts.original;
    const all = Network.parameters(parts.config, parts.config.contextLength);
    const isComputed = ({ name }: Tensor) => parts.recipes.get(name)?.computed !== undefined;
    this.computed = all.filter(isComputed);
    const learned = all.filter((tensor) => !isComputed(tensor));
    this.parameters = allocate(parts.backend, learned);
  }

  /**
   * A new model.
   * @param values - as in `config.json`: `{ model_type: "llama", hidden_size: … }`, for any family that can be loaded
   * @throws UnsupportedError, FormatError as for a checkpoint with this configuration; OutOfMemoryError
   */
  static create(values: JsonObject, options: CreateOptions): TrainableModel {
    const reader = new ConfigReader(values, "model configuration");
    const family = familyOf(reader);
    const input: FamilyInput = { config: reader, dialect: huggingFaceDialect, has: () => false };
    const config = family.configure(input);
    const { backend, seed = 0, initialisation = {}, tokenizerFiles = new Map() } = options;
    const files: ModelFiles = {
      config: completed(values, family.name, family.architectures[0]!),
      generationConfig: options.generationConfig,
      tokenizerFiles,
    };
    const tokenizer = tokenizerOf(tokenizerFiles);
    const recipes = family.recipes(config, input);
    const model = new TrainableModel({ backend, config, recipes, files, original: new Map(), tokenizer });
    for (const { name, shape, state } of model.parameters.values()) {
      initialise(name, shape, config, seed, initialisation, state.data);
    }
    return model;
  }

  /**
   * A copy of a checkpoint's weights as float32, whatever they are stored as.
   * @throws as loading the checkpoint does
   */
  static async open(checkpoint: OpenedCheckpoint, backend: Backend, signal?: AbortSignal): Promise<TrainableModel> {
    const { published, files } = await asPublished(checkpoint);
    const { config, recipes } = interpret(published);
    const { tokenizer, sourceTokenizer } = published;
    const original = new Map<string, OriginalTensor>(published.tensors);
    const model = new TrainableModel({ backend, config, recipes, files, original, tokenizer, sourceTokenizer });
    try {
      await model.#load(published, signal);
      for (const { name, covered } of model.#layouts()) {
        if (covered) continue;
        const stored = published.tensors.get(name)!;
        original.set(name, { shape: stored.shape, values: await readFloats(stored, dequantize) });
      }
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  }

  /** What the model is; with an adapter, also which of its maps have a pair beside them. */
  get config(): ModelConfig {
    return this.#adapter === undefined ? this.#config : { ...this.#config, lowRank: this.#adapter.config };
  }

  /** The adapter that learns in the place of the weights, where there is one. */
  get adapter(): Adapter | undefined {
    return this.#adapter;
  }

  /** The parameters that training changes: all of the model's, or its adapter's. */
  get learned(): readonly TrainableParameter[] {
    return [...(this.#adapter?.parameters ?? this.parameters).values()];
  }

  /** Every parameter that programs read. */
  get all(): readonly TrainableParameter[] {
    return [...this.parameters.values(), ...(this.#adapter?.parameters.values() ?? [])];
  }

  /**
   * Lets pairs of small matrices learn from now on, while the weights stay: LoRA (arXiv:2106.09685).
   * @param options - a new adapter's, or one that was opened
   * @param seed - of the first values
   * @throws ConfigError, InvalidValueError for targets that the model does not have
   */
  async adapt(options: LoraOptions | AdapterFile, seed = 0): Promise<void> {
    const modules = linearModules(this.recipes, this.parameters.values());
    const { backend } = this;
    const isFile = "tensors" in options;
    const adapter = isFile
      ? await Adapter.open(modules, options, backend)
      : Adapter.create(modules, options, backend, seed);
    this.#adapter?.dispose();
    this.#adapter = adapter;
  }

  /** Adds the adapter to the weights and lets it go; all weights learn again. */
  merge(): void {
    const { adapter } = this;
    if (adapter === undefined) return;
    for (const { name, state } of this.parameters.values()) {
      const merged = adapter.merged(name, state.data);
      if (merged !== state.data) state.data.set(merged);
    }
    adapter.dispose();
    this.#adapter = undefined;
  }

  /** What to write into a folder that Hugging Face PEFT opens. @throws InvalidValueError without an adapter */
  adapterContents(states?: ReadonlyMap<string, StateResource>): AdapterContents {
    const { adapter, config, files } = this;
    if (adapter === undefined) throw new InvalidValueError("model", "one with an adapter", undefined);
    const name = files.config._name_or_path;
    return {
      config: { base: typeof name === "string" ? name : undefined, ...adapter.settings },
      transposed: config.family === "gpt2",
      task: config.kind === "decoder-only" ? "CAUSAL_LM" : "SEQ_2_SEQ_LM",
      tensors: adapter.tensors(states),
    };
  }

  /** Bytes of the master weights. */
  get bytes(): number {
    return [...this.parameters.values()].reduce((sum, { state }) => sum + state.bytes, 0);
  }

  get parameterCount(): number {
    return [...this.parameters.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  }

  /**
   * What to write into a folder that PyTorch `transformers` opens, in float32, with the adapter merged.
   * @param states - other weights than the current ones, such as their average, by parameter name
   */
  contents(states?: ReadonlyMap<string, StateResource>): HuggingFaceContents {
    const { config, generationConfig, tokenizerFiles } = this.files;
    const tensors = this.#layouts(states).map((layout) =>
      publishedTensor(layout, this.#original.get(layout.name)?.values),
    );
    const names = new Set(tensors.map(({ name }) => name));
    return { config, generationConfig, tokenizerFiles, tensors: [...tensors, ...this.#constantTensors(names)] };
  }

  /** Frees the weights. */
  dispose(): void {
    for (const { state } of this.all) state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #layouts(states?: ReadonlyMap<string, StateResource>) {
    const held = [...this.parameters.values()].map(({ name, shape, state }) => ({
      name,
      shape,
      values: () => {
        const values = (states?.get(name) ?? state).data.subarray(0, sizeOf(shape));
        return this.#adapter?.merged(name, values, states) ?? values;
      },
    }));
    return publishedLayouts(this.recipes, held, this.#original);
  }

  /** The zero bias that classes of BART and Marian always have, where the model has none. */
  #constantTensors(names: ReadonlySet<string>) {
    const { family, vocabSize } = this.config;
    if ((family !== "bart" && family !== "marian") || names.has("final_logits_bias")) return [];
    const layout = { name: "final_logits_bias", shape: [1, vocabSize], pieces: [], covered: true };
    return [publishedTensor(layout)];
  }

  /**
   * Reads all weights from tensors in Hugging Face's layout, such as those of a checkpoint that was written before.
   * @param path - for messages
   * @throws MissingTensorError, ShapeError
   */
  async restore(tensors: ReadonlyMap<string, StoredTensor>, path: string): Promise<void> {
    await this.#load({ path, tensors });
  }

  async #load(checkpoint: Checkpoint, signal?: AbortSignal): Promise<void> {
    const wanted = Network.parameters(this.#config, this.#config.contextLength);
    for (const { tensor, recipe, rows } of locateParameters(checkpoint, this.recipes, wanted, dequantize)) {
      const parameter = this.parameters.get(tensor.name);
      if (parameter === undefined) continue;
      signal?.throwIfAborted();
      const [count, columns] = rows.shape;
      const values = new Float32Array(count * columns);
      await rows.readRows(0, count, new Uint8Array(values.buffer));
      const plus = recipe.plus ?? 0;
      parameter.state.data.set(plus === 0 ? values : values.map((value) => value + plus));
    }
  }
}

function allocate(backend: Backend, tensors: readonly Tensor[]): Map<string, TrainableParameter> {
  const parameters = new Map<string, TrainableParameter>();
  try {
    for (const { name, shape } of tensors) {
      const state = backend.allocateState(sizeOf(shape as number[]));
      parameters.set(name, { name, shape: shape as number[], state });
    }
    return parameters;
  } catch (error) {
    for (const { state } of parameters.values()) state.dispose();
    throw error;
  }
}

/** With what `transformers` needs to choose a class. */
function completed(values: JsonObject, family: string, architecture: string): JsonObject {
  const type = family === "gemma3" ? "gemma3_text" : family;
  return { architectures: [architecture], model_type: type, dtype: "float32", torch_dtype: "float32", ...values };
}

function tokenizerOf(files: ReadonlyMap<string, Uint8Array>): LoadedTokenizer | undefined {
  return files.size === 0 ? undefined : loadTokenizer({ files: Object.fromEntries(files) });
}

/** The checkpoint as a Hugging Face folder has it, in float32. */
async function asPublished(checkpoint: OpenedCheckpoint): Promise<{ published: OpenedCheckpoint; files: ModelFiles }> {
  if (checkpoint.format === "ctranslate2") {
    const tensors = new Map([...checkpoint.tensors].map(([name, tensor]) => [name, convertTensor(tensor, "f32")]));
    const files = { config: checkpoint.config.values, tokenizerFiles: new Map() };
    return { published: { ...checkpoint, tensors }, files };
  }
  const contents = await toHuggingFace(checkpoint, { type: "f32" });
  const { config, generationConfig, tokenizerFiles = new Map<string, Uint8Array>() } = contents;
  const published: OpenedCheckpoint = {
    ...checkpoint,
    config: new ConfigReader(config, checkpoint.config.source),
    dialect: huggingFaceDialect,
    tensors: new Map([...contents.tensors].map((tensor) => [tensor.name, tensor])),
  };
  return { published, files: { config, generationConfig, tokenizerFiles } };
}
