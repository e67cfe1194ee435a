/**
 * The program that training runs: ids in, a loss for every row out, gradients added to states.
 *
 * Sequences and documents lie one after another in the rows of a run, unpadded; `first` and `end` say what each row may
 * attend to. Weights are parameters whose resources are states, which optimizers write between runs.
 */
import { InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { accumulateGradients } from "../graph/differentiate.js";
import { Graph } from "../graph/graph.js";
import { crossEntropy } from "../graph/operations/cross-entropy.js";
import { dropout } from "../graph/operations/dropout.js";
import { planGraph } from "../graph/plan.js";
import type { LiveDimension, Tensor } from "../graph/tensor.js";
import type { PackedKeyValues } from "../nn/attention-layer.js";
import type { StackConfig } from "../nn/config.js";
import { besideMaps } from "../nn/low-rank.js";
import { blockScope, stack } from "../nn/stack.js";
import type { EncoderDecoderConfig, ModelConfig } from "./config.js";
import { head } from "./decoder-graph.js";

/** Sizes that a training program is compiled for. */
export interface TrainingCapacity {
  /** Rows in one run: target tokens of an encoder-decoder. */
  readonly tokens: number;
  /** Rows of source in one run, for an encoder-decoder. Default: as many as `tokens`. */
  readonly sourceTokens?: number;
  /** Positions in one sequence. */
  readonly contextLength: number;
}

export interface TrainingGraphOptions {
  /**
   * Probability that an element is set to zero, in [0, 1): after the embeddings, and of what attention and feed-forward
   * add to the residual. Default 0.
   */
  readonly dropout?: number;
  /** As in `cross-entropy`. Default 0. */
  readonly labelSmoothing?: number;
  readonly zLoss?: number;
  /** Compute the results of blocks again in the backward pass instead of keeping them. Default false. */
  readonly recompute?: boolean;
  /** Which parameters get gradients, by name. Default: all that can be learned. */
  readonly trainable?: (parameter: string) => boolean;
  /** Losses alone: no gradients, no dropout. Default false. */
  readonly evaluation?: boolean;
}

const optionNames = ["dropout", "labelSmoothing", "zLoss", "recompute", "trainable", "evaluation"];

/** i32 [n] each: which rows of a side each row sees, from `first` up to but not including `end`. */
export interface VisibleRows {
  readonly first: Tensor;
  readonly end: Tensor;
}

/** i32 [n] each. */
export interface SequenceInputs extends VisibleRows {
  readonly ids: Tensor;
  /** Counted from the row `first`. */
  readonly positions: Tensor;
}

export interface TrainingGraph extends SequenceInputs {
  readonly graph: Graph;
  /** i32 [tokens]; −1: the row's loss is 0. */
  readonly targets: Tensor;
  /** f32 [tokens, 1]: the factor of each row's loss in what is differentiated. Absent in an evaluation. */
  readonly rowWeights?: Tensor;
  /** i32 [2]: another pair at each step. Absent without dropout. */
  readonly seed?: Tensor;
  /** What an encoder reads, [sourceTokens]. */
  readonly source?: SequenceInputs;
  /** For each target row the rows of its source. */
  readonly cross?: VisibleRows;
  /** [tokens, 1] */
  readonly losses: Tensor;
  /** [tokens, vocabSize]; gradients take this memory over unless it is compiled as an output. */
  readonly logits: Tensor;
  /** Every parameter that the losses depend on. */
  readonly parameters: readonly Tensor[];
  /** Those whose gradients are added to the states `gradients.<name>`. */
  readonly trainable: readonly Tensor[];
  /** Outputs to compile beside the losses, so that gradients are accumulated; none in an evaluation. */
  readonly accumulations: readonly Tensor[];
}

/**
 * The losses of a model, and unless it is an evaluation their gradients.
 * Live dimensions: `tokens`, and `sourceTokens` for an encoder-decoder.
 *
 * @throws UnknownOptionError; OutOfRangeError for a rate that is none; InvalidValueError when `trainable` chooses nothing
 */
export function trainingGraph(
  config: ModelConfig,
  capacity: TrainingCapacity,
  options: TrainingGraphOptions = {},
): TrainingGraph {
  rejectUnknownOptions(options, optionNames, "training graph");
  const building = new Building(config, capacity, options);
  const forward = building.forward();
  const parameters = planGraph([forward.losses]).parameters;
  if (options.evaluation) return { ...forward, parameters, trainable: [], accumulations: [] };
  const trainable = chooseTrainable(config, parameters, options.trainable);
  const rowWeights = building.graph.input("rowWeights", forward.losses.shape, "f32");
  const recompute = options.recompute ? recomputedScopes(config) : [];
  const accumulations = accumulateGradients(forward.losses, rowWeights, trainable, { recompute });
  return { ...forward, rowWeights, parameters, trainable, accumulations: [...accumulations.values()] };
}

/** What a training graph has before it is differentiated. */
type Forward = Omit<TrainingGraph, "parameters" | "trainable" | "accumulations" | "rowWeights">;

class Building {
  readonly graph = new Graph();
  readonly #seed: Tensor | undefined;
  #streams = 0;

  constructor(
    readonly config: ModelConfig,
    readonly capacity: TrainingCapacity,
    readonly options: TrainingGraphOptions,
  ) {
    const { dropout = 0, evaluation = false } = options;
    if (!(dropout >= 0 && dropout < 1)) throw new OutOfRangeError("dropout", "in [0, 1)", dropout);
    const { lowRank } = config;
    const isRandom = !evaluation && (dropout > 0 || (lowRank?.dropout ?? 0) > 0);
    this.#seed = isRandom ? this.graph.input("seed", [2], "i32") : undefined;
    if (lowRank === undefined) return;
    const drop = isRandom && lowRank.dropout > 0 ? (x: Tensor) => this.#drop(x, lowRank.dropout) : undefined;
    this.graph.beside = besideMaps(this.graph, lowRank, drop);
  }

  forward(): Forward {
    const { graph, config, capacity, options } = this;
    const { decoder, vocabSize } = config;
    const tokens = graph.dimension("tokens", capacity.tokens);
    const inputs = this.#inputs("", tokens);
    const targets = graph.input("targets", [tokens], "i32");
    const prefix = config.kind === "decoder-only" ? "" : "decoder.";
    const table = graph.parameter(`${prefix}embedding.weight`, [vocabSize, decoder.hiddenSize]);
    const read = config.kind === "decoder-only" ? undefined : this.#readSource(config, tokens);
    const crossRows = read && { kind: "packed" as const, ...read.cross, source: read.states };
    const states = this.#stack(decoder, prefix, table, inputs, crossRows);
    const logits = graph.name("logits", head(graph, config, table, states));
    const losses = graph.name("losses", crossEntropy(logits, targets, options));
    return { graph, ...inputs, targets, seed: this.#seed, source: read?.source, cross: read?.cross, losses, logits };
  }

  #readSource(config: EncoderDecoderConfig, tokens: LiveDimension) {
    const { graph, capacity } = this;
    const { encoder, sourceVocabSize, sharedEmbedding } = config;
    const sourceTokens = graph.dimension("sourceTokens", capacity.sourceTokens ?? capacity.tokens);
    const source = this.#inputs("source.", sourceTokens);
    const table = sharedEmbedding ? "decoder.embedding.weight" : "encoder.embedding.weight";
    const embedding = graph.parameter(table, [sourceVocabSize, encoder.hiddenSize]);
    const states = this.#stack(encoder, "encoder.", embedding, source);
    return { source, states, cross: this.#visible("cross.", tokens) };
  }

  #stack(
    config: StackConfig,
    prefix: string,
    embedding: Tensor,
    { ids, positions, first, end }: SequenceInputs,
    cross?: PackedKeyValues & { readonly source: Tensor },
  ): Tensor {
    // A learned table has a row for every position of the model, whatever is trained on.
    const learned = config.position.kind === "learned";
    const contextLength = learned ? this.config.contextLength : this.capacity.contextLength;
    const keyValues = { kind: "packed" as const, first, end };
    const rate = this.#seed === undefined ? 0 : (this.options.dropout ?? 0);
    const dropout = rate > 0 ? (x: Tensor) => this.#drop(x, rate) : undefined;
    const context = { graph: this.graph, stack: config, positions, keyValues, contextLength, prefix, dropout };
    return stack({ ids, embedding, context, cross });
  }

  #drop(x: Tensor, rate: number): Tensor {
    return dropout(x, this.#seed!, { rate, stream: this.#streams++ });
  }

  #inputs(prefix: string, rows: LiveDimension): SequenceInputs {
    const input = (name: string) => this.graph.input(`${prefix}${name}`, [rows], "i32");
    return { ids: input("ids"), positions: input("positions"), ...this.#visible(prefix, rows) };
  }

  #visible(prefix: string, rows: LiveDimension): VisibleRows {
    const input = (name: string) => this.graph.input(`${prefix}${name}`, [rows], "i32");
    return { first: input("first"), end: input("end") };
  }
}

/** All blocks but the one whose backward pass follows its forward pass at once. */
function recomputedScopes(config: ModelConfig): string[] {
  const scopes = (prefix: string, { layers }: StackConfig) => layers.map((_, index) => blockScope(prefix, index));
  if (config.kind === "decoder-only") return scopes("", config.decoder).slice(0, -1);
  return [...scopes("encoder.", config.encoder), ...scopes("decoder.", config.decoder).slice(0, -1)];
}

function chooseTrainable(
  config: ModelConfig,
  parameters: readonly Tensor[],
  trainable: (parameter: string) => boolean = () => true,
): Tensor[] {
  const fixed = new Set(fixedParameters(config));
  const chosen = parameters.filter(({ name }) => !fixed.has(name) && trainable(name));
  if (chosen.length > 0) return chosen;
  throw new InvalidValueError("trainable", `true for one of ${parameters.map(({ name }) => name).join(", ")}`, "none");
}

/** Parameters that follow from the configuration: tables of sines. */
function fixedParameters(config: ModelConfig): string[] {
  const stacks: [string, StackConfig][] =
    config.kind === "decoder-only"
      ? [["", config.decoder]]
      : [
          ["encoder.", config.encoder],
          ["decoder.", config.decoder],
        ];
  return stacks
    .filter(([, { position }]) => position.kind === "sinusoidal")
    .map(([prefix]) => `${prefix}positions.weight`);
}
