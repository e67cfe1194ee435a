/** The package in Node: a checkpoint's path becomes a model. */
export {
  type ConvertOptions,
  type ConvertTarget,
  type ConvertType,
  convertCheckpoint,
  convertTypes,
  OutputExistsError,
} from "./convert.node.js";
export { type DescribeOptions, describe, type PathDescription } from "./describe.node.js";
export {
  defaultModel,
  defaultTranslator,
  embeddedModels,
  modelPath,
  NoDefaultModelError,
} from "./embedded-models.node.js";
export * from "./index.js";
export {
  type AvailableInstructionSets,
  availableInstructionSets,
  type BackendName,
  BackendUnavailableError,
  backendNames,
  createBackend,
  type LoadModelOptions,
  loadAdapter,
  loadModel,
} from "./load-model.node.js";
export { type OpenOptions, openCheckpoint } from "./models/open.node.js";
export { openTokenizer } from "./open-tokenizer.node.js";
export { restoreSession, saveSession } from "./session-files.node.js";
