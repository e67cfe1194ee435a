/** Text to token ids and back, for every vocabulary format that checkpoints are published with. */
export { ChatTemplate, ChatTemplateError, renderChat } from "./chat-template.js";
export { readBertVocab } from "./formats/bert-vocab.js";
export { readGgufTokenizer } from "./formats/gguf/index.js";
export { readGpt2Files } from "./formats/gpt2-files.js";
export { readLlama2c } from "./formats/llama2c.js";
export { readMarian } from "./formats/marian.js";
export { readSentencePiece } from "./formats/sentencepiece/index.js";
export { readTiktoken, whisperSpecialTokens } from "./formats/tiktoken.js";
export { readTokenizerJson } from "./formats/tokenizer-json/index.js";
export { characterTokenizer, readWordList } from "./formats/word-list.js";
export { loadTokenizer, tokenizerFileNames } from "./load.js";
export { PatternCostError } from "./pattern/pattern.js";
export { trainByteBpe } from "./training/train-byte-bpe.js";
