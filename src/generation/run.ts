/** What the engine gives to the decoder program in one go: tokens of one or many sequences. */
import { HithertoError } from "../core/errors.js";
import type { DecoderProgram, Network } from "../models/network.js";
import type { Sequence } from "./sequence.js";

/** Tokens to add to a sequence, and which of them to predict from. */
export interface Part {
  readonly sequence: Sequence;
  readonly ids: ArrayLike<number>;
  /** Give logits after every token, after the last, or none. */
  readonly outputs: "all" | "last" | "none";
}

/** Logits after one token of one part; views that are valid during the call only. */
export interface OutputRow {
  /** Index of the part. */
  readonly part: number;
  /** Index of the token within the part. */
  readonly index: number;
  /** [vocabSize] */
  readonly logits: Float32Array;
  readonly logSumExp: number;
  /** The id with the largest logit; of equal ones the lowest. */
  readonly likeliest: number;
}

/** Two parts of one run write to one sequence, or a sequence stands twice in a call. */
export class SequenceBusyError extends HithertoError {
  readonly code = "SEQUENCE_BUSY";

  constructor() {
    super("one sequence cannot stand twice in one run");
  }
}

/** One run in the making: what has been written into the program's inputs so far. */
export class Run {
  tokens = 0;
  readonly #sequences: { sequence: Sequence; before: number }[] = [];
  readonly #outputs: { part: number; index: number }[] = [];

  constructor(
    readonly program: DecoderProgram,
    readonly network: Network,
  ) {}

  get isFull(): boolean {
    return (
      this.tokens === this.program.ids.length ||
      this.#outputs.length === this.program.outputRows.length ||
      this.#sequences.length === this.network.capacity.sequences
    );
  }

  /** Writes as many of the part's tokens from `from` on as there is room for; returns the next one's index. */
  add(index: number, part: Part, from: number): number {
    const { sequence, ids, outputs } = part;
    const roomForOutputs = outputs === "all" ? this.program.outputRows.length - this.#outputs.length : ids.length;
    const count = Math.min(ids.length - from, this.program.ids.length - this.tokens, roomForOutputs);
    if (this.#sequences.some((each) => each.sequence === sequence)) throw new SequenceBusyError();
    const before = sequence.length;
    sequence.table.reserve(count);
    const row = this.#sequences.push({ sequence, before }) - 1;
    writeTables(this.program, row, sequence);
    noteReads(sequence, before);
    for (let i = 0; i < count; i++) writeToken(this.program, this.tokens++, row, sequence, ids[from + i]!, before + i);
    const end = from + count;
    for (let i = from; i < end; i++) {
      if (outputs === "none" || (outputs === "last" && i + 1 < ids.length)) continue;
      this.program.outputRows[this.#outputs.length] = this.tokens - (end - i);
      this.#outputs.push({ part: index, index: i });
    }
    return end;
  }

  async execute(offLoop: boolean): Promise<void> {
    if (offLoop) await this.program.runAsync(this.tokens, this.#outputs.length);
    else this.program.run(this.tokens, this.#outputs.length);
    this.#sequences.length = 0;
  }

  deliver(onOutput: (row: OutputRow) => void): void {
    const { vocabSize } = this.network.config;
    for (const [row, { part, index }] of this.#outputs.entries()) {
      const logits = this.program.logits.subarray(row * vocabSize, (row + 1) * vocabSize);
      const { logSumExp, likeliest } = this.program;
      onOutput({ part, index, logits, logSumExp: logSumExp[row]!, likeliest: likeliest[row]! });
    }
  }

  clear(): void {
    this.tokens = 0;
    this.#sequences.length = 0;
    this.#outputs.length = 0;
  }

  /** Takes back the places of tokens that were written but never run. */
  undo(): void {
    for (const { sequence, before } of this.#sequences) sequence.table.truncate(before);
    this.clear();
  }
}

/** Writes where the blocks of a sequence lie: row `row` of the program's tables. */
export function writeTables(program: DecoderProgram, row: number, { table, source }: Sequence): void {
  writeRow(program.blockTables, row * program.tableWidth, table.blocks);
  if (source !== undefined) writeRow(program.crossTables!, row * program.tableWidth, source.table.blocks);
}

/** Notes what a run sees of the cache for a sequence's tokens from position `before` on, as its tables lead it there. */
export function noteReads({ table, lastRun }: Sequence, before: number): void {
  lastRun.sees = before + 1;
  lastRun.end = table.length;
}

function writeRow(tables: Int32Array, start: number, blocks: readonly number[]): void {
  for (let i = 0; i < blocks.length; i++) tables[start + i] = blocks[i]!;
}

/** Writes one token of the sequence in row `row` of the tables; its position must have been reserved. */
export function writeToken(
  program: DecoderProgram,
  index: number,
  row: number,
  sequence: Sequence,
  id: number,
  position: number,
): void {
  program.ids[index] = id;
  program.positions[index] = position;
  program.slots[index] = sequence.table.slot(position);
  program.sequences[index] = row;
  program.visible[index] = position + 1;
  if (sequence.source !== undefined) program.crossVisible![index] = sequence.source.length;
}
