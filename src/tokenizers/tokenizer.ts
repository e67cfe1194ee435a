/**
 * What a tokenizer is to the rest of the package: text to token ids and back.
 *
 * Tokenizers are immutable and hold no file handles. `load.ts` makes one from the files of a checkpoint.
 */

/** How `encode` treats special tokens. */
export interface EncodeOptions {
  /** Add what the model expects around a sequence, such as a beginning-of-sequence id. Default true. */
  readonly addSpecialTokens?: boolean;
  /** Read `<|endoftext|>` in the text as its id; false encodes its characters instead. Default true. */
  readonly parseSpecialTokens?: boolean;
}

/** How `decode` treats special tokens. */
export interface DecodeOptions {
  /** Leave special tokens out of the text. Default true. */
  readonly skipSpecialTokens?: boolean;
}

/** Options of incremental decoding. */
export interface StreamOptions extends DecodeOptions {
  /**
   * Ids that come before the first `push`, usually the prompt. Their text is not returned, but it decides whether
   * a leading space is the tokenizer's own (and dropped) or the text's. Default none: the stream is a whole sequence.
   */
  readonly after?: ArrayLike<number>;
}

/** Where a token stands. */
export interface TokenBytesOptions {
  /** Whether nothing stands before it: some tokenizers then leave out its leading space. Default false. */
  readonly atStart?: boolean;
}

/** Incremental decoding of one sequence. */
export interface TextStream {
  /** Takes the next id; returns the text that is now certain, never half a character. Often empty. */
  push(id: number): string;
  /** Ends the sequence and returns what was held back. The stream is then spent: `push` throws. */
  flush(): string;
}

/** Text to token ids and back. */
export interface Tokenizer {
  /** Largest id + 1, added tokens included. A model's own vocabulary may be padded beyond it. */
  readonly vocabSize: number;
  /** Begins a sequence (BOS, or CLS), if the vocabulary has such a token. */
  readonly beginId?: number;
  /** Ids that end a completion (EOS, end of turn). May be empty. */
  readonly endIds: readonly number[];
  readonly padId?: number;
  readonly unknownId?: number;

  /**
   * Token ids of `text`. Unpaired surrogates count as U+FFFD.
   * @throws UnknownOptionError for an option that does not exist.
   */
  encode(text: string, options?: EncodeOptions): Int32Array;

  /**
   * Text of `ids`. Bytes that are not UTF-8 become U+FFFD. Ids beyond the vocabulary, which padded models may
   * produce, decode to nothing.
   * @throws OutOfRangeError when an id is not a non-negative integer.
   */
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;

  /** Id of an exact vocabulary entry, in the form the vocabulary stores it (`"Ġthe"`, `"▁the"`). */
  tokenId(token: string): number | undefined;

  /**
   * Vocabulary entry of `id` as stored.
   * @throws OutOfRangeError when the vocabulary has no such id.
   */
  tokenText(id: number): string;

  /**
   * The bytes that `id` adds to a text, those of an unfinished character included: what tokens joined are the bytes
   * of what `decode` returns, but for tokenizers that clean up spaces between tokens.
   * @returns undefined for a control token, and for an id that is not in the vocabulary
   */
  tokenBytes(id: number, options?: TokenBytesOptions): Uint8Array | undefined;

  /** Whether `id` is a control token, which `decode` leaves out by default. */
  isSpecial(id: number): boolean;

  /**
   * Incremental decoding: text that is complete so far, never half a character. The concatenation of every
   * `push` and the final `flush` equals `decode(ids)`.
   */
  stream(options?: StreamOptions): TextStream;
}
