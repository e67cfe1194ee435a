/** Training in Node: with data from files. */

export { defaultCacheFolder } from "./data/cache-folder.node.js";
export {
  FileChangedError,
  type OpenDatasetOptions,
  openDataset,
  type SavedTokenizer,
} from "./data/open-dataset.node.js";
export * from "./index.js";
