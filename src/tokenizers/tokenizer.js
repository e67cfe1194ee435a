/**
 * What a tokenizer is to the rest of the package: text to token ids and back.
 *
 * Tokenizers are immutable and hold no file handles. `load.ts` makes one from the files of a checkpoint.
 */
export {};
