/**
 * What a training step is fed: sequences one after another in the rows of one run, none padded.
 *
 * Every row has an id, the id that is to be predicted after it, its position in its own sequence, and the range of
 * rows that it may attend to. Documents that share a batch therefore never see each other.
 */

/** Rows of token ids and what each may attend to; all arrays have one entry per row. */
export interface SequenceRows {
  readonly ids: Int32Array;
  /** Positions count from 0 in every sequence. */
  readonly positions: Int32Array;
  /** Row i may attend to rows first[i] ≤ j < end[i] of the same side. */
  readonly first: Int32Array;
  readonly end: Int32Array;
}

/** One run of a training program: [n] rows, and for pairs [m] rows of source. */
export interface Batch extends SequenceRows {
  /** The id to predict after each row; −1 where the prediction does not count. */
  readonly targets: Int32Array;
  /** What an encoder reads: every row attends to all of its own sentence. */
  readonly source?: SequenceRows;
  /** For each (target) row the rows of `source` that belong to it. */
  readonly cross?: { readonly first: Int32Array; readonly end: Int32Array };
  /** How many targets are not −1. */
  readonly counted: number;
}

/** How large batches are. */
export interface BatchShape {
  /** Most rows in a batch. Fewer are used where no further sequence fits. */
  readonly tokens: number;
  /** Pairs: most rows of source in a batch. Default: as many as `tokens`. */
  readonly sourceTokens?: number;
  /** Most rows in one sequence. Longer texts are cut into pieces of so many; longer pairs are an error. */
  readonly contextLength: number;
}

/** Where in the data a run stands: `index` batches of pass `epoch` have been handed out. A JSON value. */
export interface DataPosition {
  readonly epoch: number;
  readonly index: number;
}

/** A batch, and the position from which the one after it is made. */
export interface PositionedBatch {
  readonly batch: Batch;
  readonly epoch: number;
  readonly next: DataPosition;
}

/** One text to learn, or a pair: `source` is a prompt or what an encoder reads, and empty for plain text. */
export interface Example {
  readonly source: string;
  readonly target: string;
}

/** What a data set was made of, and what of it is left out. */
export interface DataSummary {
  /** Documents or pairs in training, and held out. */
  readonly trainExamples: number;
  readonly heldOutExamples: number;
  readonly dropped: {
    /** Nothing in the text, or on one side of the pair. */
    readonly empty: number;
    /** Longer than `maxLength`. */
    readonly tooLong: number;
    /** Not in training, because the same text (for pairs: the same source) is held out. */
    readonly shared: number;
  };
}

/** Tokenized examples, divided into training and held out. */
export interface Dataset {
  /** Texts for decoder-only models, or pairs for encoder-decoder models. */
  readonly kind: "text" | "pairs";
  /** Targets that count in one pass over the training examples. */
  readonly trainTokens: number;
  /** Targets that count in what is held out. */
  readonly heldOutTokens: number;
  /** UTF-8 bytes of the text held out (pairs: of the target side): the denominator of bits per byte. */
  readonly heldOutBytes: number;
  readonly summary: DataSummary;

  /**
   * Training batches without end, pass after pass, each pass in an order of its own that depends on `seed` alone.
   * Started from the `next` of any batch, it continues exactly as if it had never stopped, provided that `shape` and
   * `seed` are the same.
   *
   * @throws OutOfRangeError for a shape or a position that does not exist, InvalidValueError when nothing fits in it.
   */
  batches(shape: BatchShape, order: BatchOrder): AsyncGenerator<PositionedBatch, never>;

  /** Batches in one pass from the start, as `batches` makes them in pass 0. */
  batchesPerEpoch(shape: BatchShape, seed: number): number;

  /** Everything that is held out, once, in order. */
  heldOut(shape: BatchShape): AsyncGenerator<Batch, void>;

  /** The texts that are held out, as they were tokenized, also those longer than `maxLength`: references for scores. */
  heldOutExamples(): AsyncGenerator<Example, void>;

  /** Closes the files behind it. */
  close(): Promise<void>;
}

/** In which order batches come. */
export interface BatchOrder {
  /** Any safe integer. */
  readonly seed: number;
  /** Default: the first batch of the first pass. */
  readonly from?: DataPosition;
}
