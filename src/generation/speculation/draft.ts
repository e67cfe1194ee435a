/**
 * A smaller model of the same vocabulary proposes: what it would choose itself, one token after another.
 *
 * Leviathan et al., 2023 (arXiv:2211.17192); Chen et al., 2023 (arXiv:2302.01318).
 */
import type { Engine } from "../engine.js";
import type { OutputRow } from "../run.js";
import type { Sequence } from "../sequence.js";
import type { LogitRow } from "./ahead.js";
import type { DraftChoice } from "./draft-choice.js";
import { proposeOneByOne } from "./one-by-one.js";
import type { Proposal, ProposalPlace, Proposer } from "./proposer.js";

export class DraftProposer implements Proposer {
  readonly name = "draft";
  /** Tokens whose keys and values the draft's sequence holds. */
  readonly #ids: number[] = [];

  /**
   * @param engine - the draft's
   * @param sequence - empty; the proposer's from now on
   */
  constructor(
    readonly engine: Engine,
    readonly sequence: Sequence,
    readonly choice: DraftChoice,
  ) {}

  async propose(place: ProposalPlace): Promise<Proposal> {
    this.#goBackTo(place.ids);
    const room = this.engine.network.capacity.contextLength - place.ids.length;
    const count = Math.min(place.count, room);
    return proposeOneByOne({ ...place, count }, this.choice, (ids) => this.#run(ids, place.signal));
  }

  dispose(): void {
    this.sequence.dispose();
  }

  /** Forgets what the draft has read that the timeline does not have. */
  #goBackTo(ids: readonly number[]): void {
    let same = 0;
    const most = Math.min(this.#ids.length, ids.length - 1);
    while (same < most && this.#ids[same] === ids[same]) same++;
    this.#ids.length = same;
    if (this.sequence.length > same) this.sequence.table.truncate(same);
  }

  /** Logits after the last of `ids`; valid until the next run. */
  async #run(ids: readonly number[], signal: AbortSignal | undefined): Promise<LogitRow> {
    const added = ids.slice(this.#ids.length);
    const quick = added.length === 1 ? this.engine.advanceNow(this.sequence, added[0]!) : undefined;
    let row: LogitRow | undefined = quick;
    if (row === undefined) {
      const onOutput = ({ logits, logSumExp, likeliest }: OutputRow): void => {
        row = { logits: logits.slice(), logSumExp, likeliest };
      };
      await this.engine.advance([{ sequence: this.sequence, ids: added, outputs: "last" }], { signal, onOutput });
    }
    this.#ids.push(...added);
    return row!;
  }
}
