/**
 * A LoRA adapter beside a model that runs: small pairs of matrices with a program of their own over the model's
 * weights and cache. Sessions with and without it, or with others, share all else. Hu et al., 2021 (arXiv:2106.09685).
 */
import type { Resource } from "../backends/backend.js";
import { DisposedError, UnsupportedError } from "../core/errors.js";
import { dequantize } from "../formats/index.js";
import { type AdapterBase, adaptedModules } from "../models/adapters/merge.js";
import { pairsBeside } from "../models/adapters/modules.js";
import type { AdapterFile } from "../models/adapters/peft.js";
import { Fingerprint } from "../models/fingerprint.js";
import { loadParameters } from "../models/load-parameters.js";
import type { DecoderProgram, Network } from "../models/network.js";

export class LoadedAdapter implements Disposable {
  #program: DecoderProgram | undefined;

  private constructor(
    readonly network: Network,
    /** Where it was read from. */
    readonly path: string,
    /** Tells it from others: a digest of samples of its matrices. */
    readonly fingerprint: string,
    program: DecoderProgram,
    private readonly resources: ReadonlyMap<string, Resource>,
    private readonly onDispose: (adapter: LoadedAdapter) => void,
  ) {
    this.#program = program;
  }

  /**
   * Reads the pairs and compiles the program; the file may be closed then.
   * @param onDispose - called when it is disposed, once
   * @throws UnsupportedError for encoder-decoder models and checkpoints that are not Hugging Face's, InvalidValueError
   *   for an adapter of another model, MissingTensorError, ShapeError
   */
  static async load(
    network: Network,
    base: AdapterBase,
    file: AdapterFile,
    onDispose: (adapter: LoadedAdapter) => void = () => {},
  ): Promise<LoadedAdapter> {
    const { config, backend } = network;
    if (config.kind !== "decoder-only")
      throw new UnsupportedError("an adapter of a session, with the kind of model", config.kind, ["decoder-only"]);
    const pairs = pairsBeside(adaptedModules(file, config, base), file.config);
    const graph = network.adaptedGraph({ ...pairs.config, dropout: 0 });
    const parameters = graph.graph.tensors.filter(
      ({ name, origin }) => origin.kind === "parameter" && pairs.shapes.has(name),
    );
    const resources = new Map<string, Resource>();
    try {
      const fingerprint = new Fingerprint();
      await loadParameters(backend, file, pairs.recipes, parameters, resources, dequantize, { fingerprint });
      const program = network.compileAdapted(graph, resources);
      return new LoadedAdapter(network, file.path, fingerprint.of(config), program, resources, onDispose);
    } catch (error) {
      for (const resource of resources.values()) resource.dispose();
      throw error;
    }
  }

  /** The program that runs sequences with the adapter. @throws DisposedError */
  get program(): DecoderProgram {
    if (this.#program === undefined) throw new DisposedError("adapter");
    return this.#program;
  }

  /** Frees its memory. Sessions that have it cannot be run any more, unless they are given another one. */
  dispose(): void {
    if (this.#program === undefined) return;
    this.#program.dispose();
    this.#program = undefined;
    for (const resource of this.resources.values()) resource.dispose();
    this.onDispose(this);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
