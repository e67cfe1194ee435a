/**
 * A model's weights on a backend, and the programs that run them. Loaded weights are shared and never change; what
 * changes from run to run (the cache) is addressed by whoever calls, through slots and block tables.
 */
import type { Backend, InstructionProfile, Program, Resource, StateResource } from "../backends/backend.js";
import { DisposedError, InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { memoryOf, planGraph } from "../graph/plan.js";
import type { LiveSizes, Tensor } from "../graph/tensor.js";
import { capacityElements, rowWidth } from "../graph/tensor.js";
import { cacheBlockSize } from "../nn/attention-layer.js";
import type { LowRankConfig } from "../nn/low-rank.js";
import { CacheMemory } from "./cache-memory.js";
import type { ModelConfig } from "./config.js";
import { blocksFor, type Capacity, type DecoderGraph, decoderGraph } from "./decoder-graph.js";
import { type EncoderGraph, encoderGraph } from "./encoder-graph.js";
import { Fingerprint } from "./fingerprint.js";
import { type LoadOptions, loadParameters, locateParameters } from "./load-parameters.js";
import type { Checkpoint, Recipes, ToFloats } from "./weights.js";

/** The decoder, compiled, with its inputs open for writing. */
export interface DecoderProgram {
  readonly graph: DecoderGraph;
  readonly ids: Int32Array;
  readonly positions: Int32Array;
  readonly slots: Int32Array;
  readonly sequences: Int32Array;
  readonly visible: Int32Array;
  /** [sequences, tableWidth] */
  readonly blockTables: Int32Array;
  /** Blocks per sequence. */
  readonly tableWidth: number;
  readonly crossTables?: Int32Array;
  readonly crossVisible?: Int32Array;
  readonly outputRows: Int32Array;
  /** [outputs, vocabSize], valid until the next run. */
  readonly logits: Float32Array;
  /** [outputs]: ln Σ exp of each row of logits. */
  readonly logSumExp: Float32Array;
  /** [outputs]: the id with the largest logit of each row; of equal ones the lowest. */
  readonly likeliest: Float32Array;
  /** A result kept for looking at. @throws InvalidValueError when it was not asked for at compilation. */
  kept(name: string): Float32Array;
  run(tokens: number, outputs: number): void;
  runAsync(tokens: number, outputs: number): Promise<void>;
  /** As a `Program`'s; absent where the backend has none. */
  startProfile?(): void;
  stopProfile?(): InstructionProfile[];
  dispose(): void;
}

/** Tokens in one run of an inspection: few, since every kept result has memory of its own. */
const inspectedTokens = 32;

/** Programs of inspections that are kept for more steps. */
const keptInspections = 4;

export interface NetworkOptions extends LoadOptions {
  readonly capacity: Capacity;
}

export class Network {
  readonly #resources = new Map<string, Resource>();
  readonly #encoders = new Map<number, { graph: EncoderGraph; program: Program }>();
  readonly #inspections = new Map<string, DecoderProgram>();
  /** Programs that run at every step of some session: never put away. */
  readonly #seconds = new Map<string, DecoderProgram>();
  #decoder: DecoderProgram | undefined;
  /** By number of blocks. */
  readonly #exits = new Map<number, DecoderProgram>();
  #weightBytes = 0;
  #fingerprint = "";
  #cache: CacheMemory | undefined;
  #crossCache: CacheMemory | undefined;

  private constructor(
    readonly backend: Backend,
    readonly config: ModelConfig,
    readonly capacity: Capacity,
  ) {}

  /** Loads all weights and compiles the decoder. Frees everything again when anything fails. */
  static async load(
    backend: Backend,
    config: ModelConfig,
    checkpoint: Checkpoint,
    recipes: Recipes,
    toFloats: ToFloats,
    options: NetworkOptions,
  ): Promise<Network> {
    const network = new Network(backend, config, options.capacity);
    try {
      // Shapes first: tables of positions are made with the graph, and take memory that no tensor may back.
      locateParameters(checkpoint, recipes, Network.parameters(config, 1), toFloats);
      const graph = decoderGraph(config, options.capacity);
      const parameters = [...planGraph([graph.logits]).parameters, ...network.#encoderParameters()];
      const fingerprint = new Fingerprint();
      const watched = { ...options, fingerprint };
      await loadParameters(backend, checkpoint, recipes, parameters, network.#resources, toFloats, watched);
      network.#fingerprint = fingerprint.of(config);
      for (const resource of network.#resources.values()) network.#weightBytes += resource.bytes;
      network.#decoder = network.#compileDecoder(graph, []);
      return network;
    } catch (error) {
      network.dispose();
      throw error;
    }
  }

  /**
   * Every parameter that the model has, once.
   * @param contextLength - rows of tables of learned or computed positions
   */
  static parameters(config: ModelConfig, contextLength: number): readonly Tensor[] {
    const capacity = { tokens: 1, outputs: 1, sequences: 1, contextLength, blocks: 1, crossBlocks: 1 };
    const decoder = decoderGraph(config, capacity).graph;
    const encoder = config.kind === "decoder-only" ? [] : encoderGraph(config, capacity).graph.tensors;
    const all = [...decoder.tensors, ...encoder].filter((tensor) => tensor.origin.kind === "parameter");
    return [...new Map(all.map((tensor) => [tensor.name, tensor])).values()];
  }

  /** The program that generates. */
  get decoder(): DecoderProgram {
    if (this.#decoder === undefined) throw new DisposedError("model");
    return this.#decoder;
  }

  /** Tells this model from others: a digest of its configuration and of samples of its weights. */
  get fingerprint(): string {
    return this.#fingerprint;
  }

  /** Bytes of weights in the backend's memory. */
  get weightBytes(): number {
    return this.#weightBytes;
  }

  /** Every result that can be asked for by name, such as `blocks.0.attention.query`. */
  resultNames(): string[] {
    return inspectableNames(decoderGraph(this.config, { ...this.capacity, contextLength: 1 }, 1));
  }

  /**
   * The same program again, over the same weights and cache, with results kept for looking at.
   * @param keys - width of attention matrices, where they are asked for
   * @throws InvalidValueError for a name that the graph does not have
   */
  compileInspection(names: readonly string[], keys: number): DecoderProgram {
    const tokens = Math.min(this.capacity.tokens, inspectedTokens);
    const outputs = Math.min(this.capacity.outputs, tokens);
    return this.#compileDecoder(
      decoderGraph(this.config, { ...this.capacity, tokens, outputs }, Math.max(1, keys)),
      names,
    );
  }

  /**
   * The first `layers` blocks, the final norm and the head: what the model would say if it ended there. Over the same
   * weights, and over the cache of these blocks; one token in a run. The network's own: it is freed with it.
   * @throws OutOfRangeError
   */
  earlyExit(layers: number): DecoderProgram {
    const { decoder } = this.config;
    const most = decoder.layers.length - 1;
    if (!(Number.isInteger(layers) && layers >= 1 && layers <= most)) {
      throw new OutOfRangeError("layers", `a whole number from 1 to ${most}`, layers);
    }
    const config = { ...this.config, decoder: { ...decoder, layers: decoder.layers.slice(0, layers) } };
    const capacity = { ...this.capacity, tokens: 1, outputs: 1, sequences: 1 };
    const exit = this.#exits.get(layers) ?? this.#compileDecoder(decoderGraph(config, capacity), []);
    this.#exits.set(layers, exit);
    return exit;
  }

  /** The same, made once for these names and kept, with others that were asked for lately. Not while a program runs. */
  inspection(names: readonly string[], keys: number): DecoderProgram {
    const key = `${keys} ${names.join(" ")}`;
    const known = this.#inspections.get(key) ?? this.compileInspection(names, keys);
    this.#inspections.delete(key);
    this.#inspections.set(key, known);
    const [oldest] = this.#inspections;
    if (this.#inspections.size > keptInspections && oldest !== undefined) {
      this.#inspections.delete(oldest[0]);
      oldest[1].dispose();
    }
    return known;
  }

  /**
   * The program that generates once more, with results kept for ways of choosing a token that need them at every step:
   * compiled once, and freed with the network.
   * @param exits - layers whose states the head reads too, 0 being the embeddings: results `exits.<layer>`
   * @throws InvalidValueError for a name that the graph does not have
   */
  secondProgram(names: readonly string[], exits: readonly number[] = []): DecoderProgram {
    const kept = [...names, ...exits.map((layer) => `exits.${layer}`)];
    const tokens = Math.min(this.capacity.tokens, inspectedTokens);
    const capacity = { ...this.capacity, tokens, outputs: Math.min(this.capacity.outputs, tokens) };
    const key = kept.join(" ");
    const program = this.#seconds.get(key) ?? this.#compileDecoder(decoderGraph(this.config, capacity, 0, exits), kept);
    this.#seconds.set(key, program);
    return program;
  }

  /** The blocks that hold the decoder's keys and values: copied, read and written as bytes. */
  get cache(): CacheMemory {
    this.#cache ??= this.#cacheMemory("cache", this.capacity.blocks);
    return this.#cache;
  }

  /** The same of the keys and values of encoded sources. */
  get crossCache(): CacheMemory {
    this.#crossCache ??= this.#cacheMemory("crossCache", this.capacity.crossBlocks);
    return this.#crossCache;
  }

  /** The graph of the program that generates, with an adapter's pairs beside its maps. */
  adaptedGraph(lowRank: LowRankConfig): DecoderGraph {
    return decoderGraph({ ...this.config, lowRank }, this.capacity);
  }

  /** A second program that generates, over the same weights and cache. @param pairs - the adapter's matrices by name */
  compileAdapted(graph: DecoderGraph, pairs: ReadonlyMap<string, Resource>): DecoderProgram {
    return this.#compileDecoder(graph, [], pairs);
  }

  /**
   * Runs the encoder over a source and leaves its keys and values in `blocks` of the cross-attention cache.
   * @param ids - the source's token ids; at least one
   * @param offLoop - leave the event loop while it runs
   * @returns the encoder's output [ids.length, hiddenSize], valid until the next run
   */
  async encode(ids: ArrayLike<number>, blocks: ArrayLike<number>, offLoop: boolean): Promise<Float32Array> {
    const { graph, program } = this.#encoder(ids.length);
    program.integers(graph.ids).set(ids);
    const table = program.integers(graph.places.blockTables);
    for (let block = 0; block < blocksFor(ids.length); block++) table[block] = block;
    for (let i = 0; i < ids.length; i++) {
      program.integers(graph.positions)[i] = i;
      program.integers(graph.places.slots)[i] = i;
      program.integers(graph.places.sequences)[i] = 0;
      program.integers(graph.places.visible)[i] = ids.length;
      program.integers(graph.crossSlots)[i] =
        blocks[Math.floor(i / cacheBlockSize)]! * cacheBlockSize + (i % cacheBlockSize);
    }
    if (offLoop) await program.runAsync({ tokens: ids.length });
    else program.run({ tokens: ids.length });
    return program.floats(graph.output).subarray(0, ids.length * this.config.decoder.hiddenSize);
  }

  dispose(): void {
    this.#decoder?.dispose();
    this.#decoder = undefined;
    for (const exit of this.#exits.values()) exit.dispose();
    this.#exits.clear();
    for (const programs of [this.#inspections, this.#seconds]) {
      for (const program of programs.values()) program.dispose();
      programs.clear();
    }
    this.#cache = undefined;
    this.#crossCache = undefined;
    for (const { program } of this.#encoders.values()) program.dispose();
    this.#encoders.clear();
    for (const resource of this.#resources.values()) resource.dispose();
    this.#resources.clear();
  }

  /** @param name - of the states, as `layerCaches` names them */
  #cacheMemory(name: string, blocks: number): CacheMemory {
    if (this.#decoder === undefined) throw new DisposedError("model");
    const layers = this.config.decoder.layers.flatMap(({ window }, index) => {
      const [keys, values] = ["keys", "values"].map((part) => this.#resources.get(`${name}.${index}.${part}`));
      if (keys === undefined || values === undefined) return [];
      const isCross = name === "crossCache";
      return [{ keys: keys as StateResource, values: values as StateResource, window: isCross ? 0 : window }];
    });
    return new CacheMemory(layers, blocks);
  }

  #encoderParameters(): readonly Tensor[] {
    if (this.config.kind === "decoder-only") return [];
    return planGraph(encoderGraph(this.config, this.capacity).results).parameters;
  }

  /** The encoder for sources of up to `length` tokens: compiled for the next power of two, once. */
  #encoder(length: number): { graph: EncoderGraph; program: Program } {
    if (this.config.kind === "decoder-only") {
      throw new InvalidValueError("source", "absent for a decoder-only model", `${length} tokens`);
    }
    if (length < 1 || length > this.capacity.contextLength) {
      throw new OutOfRangeError("source length", `from 1 to ${this.capacity.contextLength}`, length);
    }
    const tokens = Math.min(this.capacity.contextLength, Math.max(32, 2 ** Math.ceil(Math.log2(length))));
    const compiled = this.#encoders.get(tokens);
    if (compiled !== undefined) return compiled;
    const graph = encoderGraph(this.config, { ...this.capacity, tokens });
    const resources = this.#withStates(graph.results, new Map(this.#resources));
    const program = this.backend.compile(graph.graph, { resources, outputs: graph.results });
    const entry = { graph, program };
    this.#encoders.set(tokens, entry);
    return entry;
  }

  #compileDecoder(
    graph: DecoderGraph,
    names: readonly string[],
    more: ReadonlyMap<string, Resource> = new Map(),
  ): DecoderProgram {
    const kept = new Map(names.map((name) => [name, keptTensor(graph, name)]));
    const outputs = [graph.logits, graph.logSumExp, graph.likeliest, ...kept.values()];
    const resources = this.#withStates(outputs, this.#resources);
    const program = this.backend.compile(graph.graph, { resources: new Map([...resources, ...more]), outputs });
    return openDecoder(graph, program, kept);
  }

  /** Adds memory for the states that `outputs` need and `resources` lacks. Layers' caches are held by the network. */
  #withStates(outputs: readonly Tensor[], resources: Map<string, Resource>): Map<string, Resource> {
    for (const state of planGraph(outputs).states) {
      if (resources.has(state.name)) continue;
      const resource = this.backend.allocateState(capacityElements(state));
      resources.set(state.name, resource);
      if (resources !== this.#resources) this.#resources.set(stateKey(state), resource);
    }
    return resources;
  }
}

/** Encoder scratch differs from program to program; its key says which. */
function stateKey(state: Tensor): string {
  return state.name.startsWith("encoderCache") ? `${state.name}.${capacityElements(state)}` : state.name;
}

function keptTensor(graph: DecoderGraph, name: string): Tensor {
  const tensor = graph.graph.find(name);
  if (tensor?.origin.kind === "result" && memoryOf(tensor) === tensor) return tensor;
  throw new InvalidValueError("result", `one of ${inspectableNames(graph).slice(0, 40).join(", ")}, …`, name);
}

/** Names of results that have a row for each token; a cache after a write is named too, but holds blocks. */
export function inspectableNames({ graph }: DecoderGraph): string[] {
  return graph.resultNames().filter((name) => {
    const tensor = graph.find(name)!;
    return memoryOf(tensor) === tensor;
  });
}

function openDecoder(graph: DecoderGraph, program: Program, kept: ReadonlyMap<string, Tensor>): DecoderProgram {
  const { places, cross } = graph;
  const live: { tokens: number; outputs: number } & LiveSizes = { tokens: 0, outputs: 0 };
  const sizes = (tokens: number, outputs: number): LiveSizes => {
    live.tokens = tokens;
    live.outputs = outputs;
    return live;
  };
  return {
    graph,
    ids: program.integers(graph.ids),
    positions: program.integers(graph.positions),
    slots: program.integers(places.slots),
    sequences: program.integers(places.sequences),
    visible: program.integers(places.visible),
    blockTables: program.integers(places.blockTables),
    tableWidth: rowWidth(places.blockTables),
    crossTables: cross === undefined ? undefined : program.integers(cross.blockTables),
    crossVisible: cross === undefined ? undefined : program.integers(cross.visible),
    outputRows: program.integers(graph.outputRows),
    logits: program.floats(graph.logits),
    logSumExp: program.floats(graph.logSumExp),
    likeliest: program.floats(graph.likeliest),
    kept: (name) => {
      const tensor = kept.get(name);
      if (tensor === undefined) throw new InvalidValueError("result", `one of ${[...kept.keys()].join(", ")}`, name);
      return program.floats(tensor);
    },
    run: (tokens, outputs) => program.run(sizes(tokens, outputs)),
    runAsync: (tokens, outputs) => program.runAsync(sizes(tokens, outputs)),
    startProfile: program.startProfile?.bind(program),
    stopProfile: program.stopProfile?.bind(program),
    dispose: () => program.dispose(),
  };
}
