/** Text to token ids and back, for every vocabulary format that checkpoints are published with. */
export type { DecodeOptions, EncodeOptions, StreamOptions, TextStream, Tokenizer } from "./tokenizer.js";
