/**
 * The model's own first layers propose: its states after layer k, through its final norm and head.
 *
 * The draft has no weights of its own and no cache: what these layers have computed of the timeline is where the model
 * keeps it, and what the draft adds there is computed again, to the same bits, when the tokens are verified.
 * Schuster et al., 2022 (arXiv:2207.07061); Elhoushi et al., 2024 (arXiv:2404.16710).
 */
import type { DecoderProgram } from "../../models/network.js";
import type { Engine } from "../engine.js";
import type { OutputRow } from "../run.js";
import type { LogitRow } from "./ahead.js";
import type { DraftChoice } from "./draft-choice.js";
import { proposeOneByOne } from "./one-by-one.js";
import { noProposal, type Proposal, type ProposalPlace, type Proposer } from "./proposer.js";

export class EarlyExitProposer implements Proposer {
  readonly name = "earlyExit";
  readonly #program: DecoderProgram;

  /** @throws OutOfRangeError */
  constructor(
    readonly engine: Engine,
    layers: number,
    readonly choice: DraftChoice,
  ) {
    this.#program = engine.network.earlyExit(layers);
  }

  async propose(place: ProposalPlace): Promise<Proposal> {
    const { sequence, ids } = place;
    const length = ids.length - 1;
    // Of tokens that the model has not run yet, there is nothing in the cache.
    if (sequence.length < length) return noProposal;
    sequence.table.truncate(length);
    try {
      return await proposeOneByOne(place, this.choice, (all) => this.#run(place, all[all.length - 1]!));
    } finally {
      sequence.table.truncate(length);
    }
  }

  async #run({ sequence, signal }: ProposalPlace, id: number): Promise<LogitRow> {
    let row: LogitRow | undefined;
    const onOutput = (output: OutputRow): void => {
      row = output;
    };
    await this.engine.advance([{ sequence, ids: [id], outputs: "last" }], { signal, onOutput, program: this.#program });
    return row!;
  }
}
