/** What a checkpoint is, told from its headers and configuration alone: no weights are read. */
import type { StoredTensor } from "./core/checkpoint.js";
import { HithertoError } from "./core/errors.js";
import type { StorageType } from "./core/storage.js";
import { type CheckpointFormat, type Interpretation, interpret, type OpenedCheckpoint } from "./models/checkpoint.js";
import type { ModelConfig } from "./models/config.js";
import { decoderGraph } from "./models/decoder-graph.js";
import { inspectableNames } from "./models/network.js";
import type { LoadedTokenizer } from "./tokenizers/index.js";

export interface CheckpointDescription {
  readonly path: string;
  readonly format: CheckpointFormat;
  /** As the configuration names it. */
  readonly architecture?: string;
  /** The family that reads it; absent where none does, and `problem` says why. */
  readonly family?: string;
  readonly problem?: string;
  readonly kind?: ModelConfig["kind"];
  readonly sizes?: ModelSizes;
  /** Elements of all tensors that hold numbers to compute with. */
  readonly parameters: number;
  /** Bytes of all tensors as stored. */
  readonly bytes: number;
  readonly storage: readonly StorageTotal[];
  readonly tokenizer?: TokenizerDescription;
  readonly tensors: readonly TensorDescription[];
}

export interface ModelSizes {
  readonly vocabSize: number;
  /** Longest sequence that the model was made for, in tokens. */
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  /** Encoder-decoder models only. */
  readonly encoderLayerCount?: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly tiedHead: boolean;
}

export interface StorageTotal {
  readonly type: StorageType;
  readonly tensors: number;
  readonly bytes: number;
}

export interface TokenizerDescription {
  /** The file that the vocabulary came from. */
  readonly source: string;
  readonly vocabSize: number;
  readonly special: readonly {
    readonly role: "begin" | "end" | "pad" | "unknown";
    readonly id: number;
    readonly token: string;
  }[];
  readonly chatTemplate: boolean;
}

export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
  readonly storage: StorageType;
  readonly bytes: number;
}

/** Describes also what this package cannot run: `problem` then says why not. */
export function describeCheckpoint(checkpoint: OpenedCheckpoint): CheckpointDescription {
  const { interpretation, problem } = tryToInterpret(checkpoint);
  return {
    ...describeTensors(checkpoint.path, checkpoint.format, checkpoint.tensors.values(), problem),
    architecture: architectureOf(checkpoint),
    family: interpretation?.family.name,
    kind: interpretation?.config.kind,
    sizes: interpretation && sizesOf(interpretation.config),
    tokenizer: checkpoint.tokenizer && describeTokenizer(checkpoint.tokenizer, interpretation?.config),
  };
}

/** What can be said of tensors without a model around them. @param problem - why there is none */
export function describeTensors(
  path: string,
  format: CheckpointFormat,
  stored: Iterable<StoredTensor>,
  problem?: string,
): CheckpointDescription {
  const tensors = [...stored];
  return {
    path,
    format,
    problem,
    parameters: tensors.filter(isParameter).reduce((sum, tensor) => sum + elements(tensor), 0),
    bytes: tensors.reduce((sum, { byteLength }) => sum + byteLength, 0),
    storage: storageTotals(tensors),
    tensors: tensors.map(({ name, shape, storage, byteLength }) => ({ name, shape, storage, bytes: byteLength })),
  };
}

/** Names that `model.inspect` takes, from the model's graph; its weights are not needed. @throws as `interpret` does */
export function resultNamesOf(checkpoint: OpenedCheckpoint): string[] {
  const { config } = interpret(checkpoint);
  const one = { tokens: 1, outputs: 1, sequences: 1, contextLength: 1, blocks: 1, crossBlocks: 1 };
  return inspectableNames(decoderGraph(config, one, 1));
}

function tryToInterpret(checkpoint: OpenedCheckpoint): { interpretation?: Interpretation; problem?: string } {
  try {
    return { interpretation: interpret(checkpoint) };
  } catch (error) {
    if (error instanceof HithertoError) return { problem: error.message };
    throw error;
  }
}

function architectureOf({ config }: OpenedCheckpoint): string | undefined {
  const named = config.values.architectures;
  const architecture = Array.isArray(named) ? named[0] : config.values.model_type;
  return typeof architecture === "string" ? architecture : undefined;
}

function sizesOf(config: ModelConfig): ModelSizes {
  const { decoder } = config;
  return {
    vocabSize: config.vocabSize,
    contextLength: config.contextLength,
    hiddenSize: decoder.hiddenSize,
    intermediateSize: decoder.feedForward.intermediateSize,
    layerCount: decoder.layers.length,
    ...(config.kind === "encoder-decoder" && { encoderLayerCount: config.encoder.layers.length }),
    headCount: decoder.attention.headCount,
    keyValueHeadCount: decoder.attention.keyValueHeadCount,
    headDim: decoder.attention.headDim,
    tiedHead: config.head.tied,
  };
}

function elements({ shape }: StoredTensor): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Masks and position indices that some checkpoints carry are no parameters. */
function isParameter({ storage }: StoredTensor): boolean {
  return !["i64", "i32", "i16", "i8", "u8", "bool"].includes(storage);
}

function storageTotals(tensors: readonly StoredTensor[]): StorageTotal[] {
  const totals = new Map<StorageType, StorageTotal>();
  for (const { storage: type, byteLength } of tensors) {
    const { tensors: count = 0, bytes = 0 } = totals.get(type) ?? {};
    totals.set(type, { type, tensors: count + 1, bytes: bytes + byteLength });
  }
  return [...totals.values()].sort((a, b) => b.bytes - a.bytes);
}

function describeTokenizer(loaded: LoadedTokenizer, config: ModelConfig | undefined): TokenizerDescription {
  const { tokenizer, source, chatTemplate } = loaded;
  const ends = [...new Set([...(config?.endIds ?? []), ...tokenizer.endIds])];
  const roles = [
    { role: "begin" as const, ids: tokenizer.beginId === undefined ? [] : [tokenizer.beginId] },
    { role: "end" as const, ids: ends },
    { role: "pad" as const, ids: tokenizer.padId === undefined ? [] : [tokenizer.padId] },
    { role: "unknown" as const, ids: tokenizer.unknownId === undefined ? [] : [tokenizer.unknownId] },
  ];
  const known = (id: number) => id >= 0 && id < tokenizer.vocabSize;
  const special = roles.flatMap(({ role, ids }) =>
    ids.map((id) => ({ role, id, token: known(id) ? tokenizer.tokenText(id) : "" })),
  );
  return { source, vocabSize: tokenizer.vocabSize, special, chatTemplate: chatTemplate !== undefined };
}
