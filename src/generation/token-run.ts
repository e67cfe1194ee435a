/**
 * The shortest run of all, which generation is made of: one token of one sequence, from beginning to end on the
 * calling thread. Made once for a program; each run after that makes no object.
 */
import type { DecoderProgram, Network } from "../models/network.js";
import { noteReads, writeTables, writeToken } from "./run.js";
import type { Sequence } from "./sequence.js";

export class TokenRun {
  /** [vocabSize]: logits after the token of the last run, valid until the program's next. */
  readonly logits: Float32Array;

  constructor(
    readonly program: DecoderProgram,
    readonly network: Network,
  ) {
    this.logits = program.logits.subarray(0, network.config.vocabSize);
  }

  get logSumExp(): number {
    return this.program.logSumExp[0]!;
  }

  get likeliest(): number {
    return this.program.likeliest[0]!;
  }

  /** Adds a token to a sequence; when this throws, the sequence is as it was. @throws ContextFullError, CacheFullError */
  execute(sequence: Sequence, id: number): void {
    const { program } = this;
    const position = sequence.length;
    sequence.table.reserve(1);
    try {
      writeTables(program, 0, sequence);
      writeToken(program, 0, 0, sequence, id, position);
      noteReads(sequence, position);
      program.outputRows[0] = 0;
      program.run(1, 1);
    } catch (error) {
      sequence.table.truncate(position);
      throw error;
    }
  }
}
