/** The package where there is no Node: everything but what touches the system's files, addons and threads. */
export type { Backend } from "./backends/backend.js";
export { ReferenceBackend } from "./backends/reference/reference-backend.js";
export { CacheFullError } from "./cache/block-pool.js";
export { ContextFullError } from "./cache/block-table.js";
export type { PrefixReport } from "./cache/prefix-tree.js";
export type { ByteSource, StoredTensor } from "./core/checkpoint.js";
export * from "./core/errors.js";
export type { StorageType } from "./core/storage.js";
export {
  type CheckpointDescription,
  describeCheckpoint,
  type ModelSizes,
  resultNamesOf,
  type StorageTotal,
  type TensorDescription,
  type TokenizerDescription,
} from "./describe-checkpoint.js";
export { dequantize, WrongFileError } from "./formats/index.js";
export type { Alternative } from "./generation/alternatives.js";
export type { CachePartReport, CacheReport, LayerCacheReport } from "./generation/cache-report.js";
export { type Comparison, compare, type KlDivergence, VocabularyMismatchError } from "./generation/compare.js";
export type { Constraint } from "./generation/constrain/constraint.js";
export {
  ConstraintLimitError,
  ConstraintViolationError,
  EmptyConstraintError,
  GrammarSyntaxError,
  InvalidSchemaError,
  NoAllowedTokenError,
  UnsupportedKeywordError,
} from "./generation/constrain/errors.js";
export type { JsonSchema } from "./generation/constrain/schema/node.js";
export type { ConstraintState, TokenConstraint, TokenMask } from "./generation/constrain/token-constraint.js";
export { type ContextShiftOptions, type ShiftDivergence, ShiftImpossibleError } from "./generation/context-shift.js";
export type { PrefixSharing } from "./generation/engine.js";
export { type Evaluation, evaluate } from "./generation/evaluate.js";
export {
  evaluatePairs,
  type PairEvaluation,
  type PairEvaluationOptions,
  type TextPair,
} from "./generation/evaluate-pairs.js";
export type { Generation, GenerationOptions, GenerationStep, StepAnswer } from "./generation/generate.js";
export type { ContrastiveOptions, DolaOptions, GuidanceOptions, GuideOptions } from "./generation/guides/options.js";
export type { Inspection } from "./generation/inspect.js";
export type { LoadedAdapter } from "./generation/loaded-adapter.js";
export { type BleuOptions, type BleuScore, bleu } from "./generation/metrics/bleu.js";
export { type ChrfOptions, type ChrfScore, chrf } from "./generation/metrics/chrf.js";
export {
  characterErrorRate,
  type PronunciationErrors,
  pronunciationErrors,
  wordErrorRate,
} from "./generation/metrics/error-rate.js";
export { Model, type Prompt } from "./generation/model.js";
export type { DryOptions } from "./generation/processors/dry.js";
export type { LengthDecay } from "./generation/processors/lengths.js";
export type { PenaltyOptions, TokenOptions } from "./generation/processors/options.js";
export type { SequenceBias } from "./generation/processors/sequence-bias.js";
export {
  detectWatermark,
  type WatermarkEvidence,
  type WatermarkKey,
  type WatermarkOptions,
} from "./generation/processors/watermark.js";
export { SequenceBusyError } from "./generation/run.js";
export type { Place } from "./generation/sampling/candidates.js";
export type { MirostatOptions } from "./generation/sampling/mirostat.js";
export type { SamplingOptions } from "./generation/sampling/options.js";
export { NoTokenLeftError, type StageReport } from "./generation/sampling/pipeline.js";
export {
  type ChoiceOptions,
  MissingStageError,
  type OwnProcessor,
  type StageName,
  stageOrders,
} from "./generation/sampling/stages.js";
export { CacheLayoutError, OtherModelError, type RestoreOptions } from "./generation/saved/restore.js";
export type { TokenScore } from "./generation/scores.js";
export type { EarlyStopping } from "./generation/search/beams.js";
export { bestOf, minimumBayesRisk, type Vote, vote } from "./generation/search/choose-among.js";
export type { Hypothesis } from "./generation/search/hypothesis.js";
export type { LengthPenalty } from "./generation/search/length-penalty.js";
export type { BeamSearchOptions, BeamStoppingOptions } from "./generation/search/options.js";
export { PhrasesMissingError, type RequiredPhrase } from "./generation/search/phrases.js";
export { type EncodedPrompt, NoContinuationError } from "./generation/search/prompt-search.js";
export type { SampleOptions } from "./generation/search/samples.js";
export { Session } from "./generation/session.js";
export {
  type ReadOptions,
  SessionBusyError,
  type SessionOptions,
  type Step,
  type StepOptions,
} from "./generation/session-options.js";
export {
  acceptOrRedraw,
  type Distribution,
  type DrawnProposal,
  expectedTokens,
} from "./generation/speculation/acceptance.js";
export type { LookupOptions } from "./generation/speculation/lookup.js";
export type { SpeculationOptions } from "./generation/speculation/options.js";
export type { Proposal, ProposalPlace, Proposer, Verified } from "./generation/speculation/proposer.js";
export type { SpeculationReport } from "./generation/speculation/report.js";
export type { StoppingOptions, StopReason } from "./generation/stopping.js";
export type { EvaluationOptions } from "./generation/windows.js";
export { type CacheCodec, type CacheCodecs, cacheCodecs } from "./graph/operations/cache-codecs.js";
export { type LoadModelOptions, loadModel, type ModelSource } from "./load-model.browser.js";
export { type CacheOptions, ContextLengthError, type ModelOptions, modelFrom } from "./load-model.js";
export type { AdapterBase } from "./models/adapters/merge.js";
export { type AdapterConfig, type AdapterFile, openAdapter } from "./models/adapters/peft.js";
export type { CheckpointFormat, OpenedCheckpoint } from "./models/checkpoint.js";
export type { ModelConfig } from "./models/config.js";
export type { GenerationDefaults } from "./models/generation-defaults.js";
export type { LoadProgress } from "./models/load-parameters.js";
export { openFiles } from "./models/open-files.js";
export { openHuggingFace } from "./models/open-hugging-face.js";
export { openLlama2c } from "./models/open-llama2c.js";
export type { ChatMessage, ChatOptions, LoadedTokenizer, Tokenizer } from "./tokenizers/index.js";
