/** Training, where there is no Node: everything but what touches the system's files. */

export { Adapter, type LoraOptions } from "./adapter.js";
export type { TrainingProgress } from "./checkpoint.js";
export { type CheckpointStore, type CreateFile, MemoryCheckpointStore } from "./checkpoint-store.js";
export { type ResolvedTrainingConfig, readTrainingConfig, type TrainingConfig } from "./config/config.js";
export { ConfigError } from "./config/kinds.js";
export type { PairOptions, TextOptions } from "./data/assemble.js";
export type {
  Batch,
  BatchOrder,
  BatchShape,
  DataPosition,
  DataSummary,
  Dataset,
  Example,
  PositionedBatch,
  SequenceRows,
} from "./data/batch.js";
export {
  checkDataConfig,
  type DataConfig,
  type DocumentRule,
  type FileHeldOut,
  isTextConfig,
  type PairDataConfig,
  type PairFormat,
  type Paths,
  type TextDataConfig,
  type TextFormat,
} from "./data/data-config.js";
export type { HeldOutOptions, MaxLength } from "./data/divide.js";
export {
  type IdDatasetOptions,
  type IdExample,
  idDataset,
  type MemoryPairOptions,
  type MemoryTextOptions,
  pairDataset,
  type TextExample,
  textDataset,
} from "./data/memory-datasets.js";
export { type MosesLanguage, type Normalization, normalizer } from "./data/normalize.js";
export { type SavedTokenizer, savedTokenizer } from "./data/saved-tokenizer.js";
export type { TokenizeProgress, Watching } from "./data/tokenize.js";
export type { SpecialTokens } from "./data/tokenizer-json.js";
export {
  checkTokenizerSettings,
  type TokenizerSettings,
  type TrainTokenizerOptions,
  trainTokenizer,
  type Vocabulary,
} from "./data/train-tokenizer.js";
export { type DistillationOptions, distilled } from "./distillation.js";
export { DivergenceError } from "./divergence.js";
export { type ExposureBias, exposureBias } from "./exposure-bias.js";
export type { HeldOutLoss } from "./held-out.js";
export { type InferenceOptions, inferenceModel } from "./inference.js";
export type { InitialisationOptions, InitialisationScheme } from "./initialise.js";
export type { RunOptions, TrainingMemory, TrainingOptions, TrainingSettings } from "./options.js";
export { type LossPlotOptions, lossPlot, type PlottedRun } from "./plot/loss-plot.js";
export type { Point } from "./plot/smooth.js";
export type { Sample } from "./sample.js";
export { type TrainingStep, train } from "./train.js";
export { type CreateOptions, type ModelFiles, TrainableModel, type TrainableParameter } from "./trainable-model.js";
