/** Text to token ids and back, for every vocabulary format that checkpoints are published with. */

export { type ChatMessage, type ChatOptions, ChatTemplate, ChatTemplateError, renderChat } from "./chat-template.js";
export { readLlama2c } from "./formats/llama2c.js";
export { readSentencePiece, type SentencePieceOptions } from "./formats/sentencepiece/index.js";
export { readTokenizerJson } from "./formats/tokenizer-json/index.js";
export { type LoadedTokenizer, loadTokenizer, type TokenizerFiles, tokenizerFileNames } from "./load.js";
export { PatternCostError } from "./pattern/pattern.js";
export type { DecodeOptions, EncodeOptions, StreamOptions, TextStream, Tokenizer } from "./tokenizer.js";
