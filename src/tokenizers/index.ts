/** Text to token ids and back, for every vocabulary format that checkpoints are published with. */

export { type ChatMessage, type ChatOptions, ChatTemplate, ChatTemplateError, renderChat } from "./chat-template.js";
export { type BertVocabOptions, readBertVocab } from "./formats/bert-vocab.js";
export { type GgufMetadata, readGgufTokenizer } from "./formats/gguf/index.js";
export { type Gpt2Options, readGpt2Files } from "./formats/gpt2-files.js";
export { readLlama2c } from "./formats/llama2c.js";
export { readMarian } from "./formats/marian.js";
export { readSentencePiece, type SentencePieceOptions } from "./formats/sentencepiece/index.js";
export { readTiktoken, type TiktokenOptions, whisperSpecialTokens } from "./formats/tiktoken.js";
export { readTokenizerJson } from "./formats/tokenizer-json/index.js";
export { characterTokenizer, readWordList, type WordListOptions } from "./formats/word-list.js";
export { type LoadedTokenizer, loadTokenizer, type TokenizerFiles, tokenizerFileNames } from "./load.js";
export { PatternCostError } from "./pattern/pattern.js";
export type {
  DecodeOptions,
  EncodeOptions,
  StreamOptions,
  TextStream,
  TokenBytesOptions,
  Tokenizer,
} from "./tokenizer.js";
export { type TrainByteBpeOptions, type TrainedByteBpe, trainByteBpe } from "./training/train-byte-bpe.js";
