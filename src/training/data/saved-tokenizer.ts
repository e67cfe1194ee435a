/** A tokenizer together with the files that it is read from: what its ids depend on, and what goes with a model. */
import { loadTokenizer, type Tokenizer } from "../../tokenizers/index.js";

export interface SavedTokenizer {
  readonly tokenizer: Tokenizer;
  /** Contents by name, such as `tokenizer.json`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** @throws FileNotFoundError when no file holds a vocabulary, FormatError, UnsupportedError */
export function savedTokenizer(files: ReadonlyMap<string, Uint8Array>): SavedTokenizer {
  return { tokenizer: loadTokenizer({ files: Object.fromEntries(files) }).tokenizer, files };
}
