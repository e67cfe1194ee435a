/** What a model is: one stack of blocks with an output head, or an encoder and a decoder. */
import type { StackConfig } from "../nn/config.js";
import type { LowRankConfig } from "../nn/low-rank.js";

export interface HeadConfig {
  /** The head's weight is the (decoder's) embedding table. */
  readonly tied: boolean;
  readonly bias: boolean;
  /** Factor on the states before the head (T5 with tied embeddings), else 1. */
  readonly scale: number;
  /** Logits are capped at ±softCap; 0: not. */
  readonly softCap: number;
}

interface CommonConfig {
  /** Name of the family, such as "llama". */
  readonly family: string;
  /** Entries of the vocabulary that the model predicts. */
  readonly vocabSize: number;
  /** The longest sequence that the model was made for. */
  readonly contextLength: number;
  readonly decoder: StackConfig;
  readonly head: HeadConfig;
  /** Pairs of small matrices beside linear maps, where a model is adapted by them. */
  readonly lowRank?: LowRankConfig;
  /** Special ids, as far as the checkpoint names them; the tokenizer may know more. */
  readonly beginId?: number;
  readonly endIds: readonly number[];
  readonly padId?: number;
  /** Ids that are never chosen, as `bad_words_ids` says of Marian's padding token; longer bad words are not in this. */
  readonly bannedIds?: readonly number[];
}

export interface DecoderOnlyConfig extends CommonConfig {
  readonly kind: "decoder-only";
}

export interface EncoderDecoderConfig extends CommonConfig {
  readonly kind: "encoder-decoder";
  readonly encoder: StackConfig;
  /** Entries of the vocabulary that the encoder reads. */
  readonly sourceVocabSize: number;
  /** The encoder and the decoder embed with one table, named as the decoder's. */
  readonly sharedEmbedding: boolean;
  /** First id fed to the decoder. */
  readonly decoderStartId: number;
}

export type ModelConfig = DecoderOnlyConfig | EncoderDecoderConfig;
