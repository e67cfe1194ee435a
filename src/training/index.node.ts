/** Training in Node: with data and checkpoints in files. */

export { CheckpointFolder } from "./checkpoint-folder.node.js";
export { defaultCacheFolder } from "./data/cache-folder.node.js";
export { FileChangedError, type OpenDatasetOptions, openDataset } from "./data/open-dataset.node.js";
export { readTokenizer, textsOf, writeTokenizer } from "./data/tokenizer-files.node.js";
export * from "./index.js";
export { openTrainableModel, saveAdapter, saveModel } from "./open-model.node.js";
