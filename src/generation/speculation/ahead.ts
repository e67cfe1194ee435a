/**
 * Logits computed ahead: after the last token of a timeline and after tokens that may come next, all in one run.
 *
 * A timeline that grows by these tokens finds its logits here, the same bits as one step after another would give. One
 * that takes another way is cut back to where they part, as if nothing had been run ahead.
 */
import type { Engine } from "../engine.js";
import type { OutputRow, Part } from "../run.js";
import type { Sequence } from "../sequence.js";
import type { DrawnProposal } from "./acceptance.js";
import type { Proposal, Verified } from "./proposer.js";

/** Logits after some token. */
export type LogitRow = Pick<OutputRow, "logits" | "logSumExp" | "likeliest">;

interface Branch {
  readonly tokens: readonly number[];
  /** Logits before the first of the tokens, and after each. */
  readonly rows: readonly LogitRow[];
  /** Where its keys and values are; undefined for the first branch, whose place is the session's own sequence. */
  readonly sequence: Sequence | undefined;
}

export class Ahead {
  /** Branches that the timeline has followed so far; the first one's keys and values are in the session's sequence. */
  #branches: Branch[] = [];
  /** Length of the timeline at the first row. */
  #from = 0;
  #distributions: Proposal["distributions"];
  #memory = new Float32Array(0);

  /**
   * Runs the last of `ids` and each continuation of it, and forgets what was ahead before.
   * @throws what `Engine.advance` throws; the sequence then ends before the last of `ids`
   */
  async run(
    engine: Engine,
    sequence: Sequence,
    ids: readonly number[],
    proposal: Proposal,
    signal?: AbortSignal,
  ): Promise<Verified> {
    this.end(ids.length, sequence);
    if (proposal.tokens.length === 0) return { length: ids.length, proposal, likeliest: [] };
    const before = Math.min(sequence.length, ids.length - 1);
    if (sequence.length > before) sequence.table.truncate(before);
    const all = [proposal.tokens, ...(proposal.others ?? [])];
    const last = ids[ids.length - 1]!;
    if (before < ids.length - 1) {
      await engine.advance([{ sequence, ids: ids.slice(before, -1), outputs: "none" }], { signal });
    }
    const sequences = all.map((_, i) => (i === 0 ? sequence : sequence.fork()));
    try {
      const parts = all.map((tokens, i): Part => ({ sequence: sequences[i]!, ids: [last, ...tokens], outputs: "all" }));
      const rows = await this.#collect(engine, parts, signal);
      this.#from = ids.length;
      this.#distributions = proposal.distributions;
      this.#branches = all.map((tokens, i) => ({
        tokens,
        rows: rows[i]!,
        sequence: i === 0 ? undefined : sequences[i],
      }));
    } catch (error) {
      for (const fork of sequences.slice(1)) fork.dispose();
      if (sequence.length > ids.length - 1) sequence.table.truncate(ids.length - 1);
      throw error;
    }
    const likeliest = this.#branches.map(({ rows }) => rows.map((row) => row.likeliest));
    return { length: ids.length, proposal, likeliest };
  }

  /** Steps of a timeline of this length whose logits are here. */
  stepsFrom(length: number): number {
    const branch = this.#branches[0];
    return branch === undefined ? 0 : Math.max(0, this.#from + branch.rows.length - length);
  }

  /** Logits after the last token of a timeline that has followed the tokens up to `length`. */
  rowAt(length: number): LogitRow | undefined {
    return this.#branches[0]?.rows[length - this.#from];
  }

  /** The token that was drawn for the place after `length` tokens, if one was. */
  drawnAt(length: number): DrawnProposal | undefined {
    const from = this.#distributions?.[length - this.#from];
    const token = this.#branches[0]?.tokens[length - this.#from];
    return from === undefined || token === undefined ? undefined : { token, from };
  }

  /** The timeline of `length` tokens grows by `token`: what does not go that way is forgotten. */
  follow(token: number, length: number, sequence: Sequence): void {
    if (this.#branches.length === 0) return;
    const stays = this.#branches.filter(({ tokens }) => tokens[length - this.#from] === token);
    if (stays.length === 0) {
      this.end(length, sequence);
      return;
    }
    for (const branch of this.#branches) if (!stays.includes(branch)) branch.sequence?.dispose();
    const first = stays[0]!;
    if (first.sequence === undefined) this.#branches = stays;
    else {
      sequence.table.adopt(first.sequence.table);
      first.sequence.dispose();
      this.#distributions = undefined;
      this.#branches = [{ ...first, sequence: undefined }, ...stays.slice(1)];
    }
  }

  /** Forgets everything; the sequence ends with the timeline, at `length` tokens. */
  end(length: number, sequence: Sequence): void {
    if (this.#branches.length === 0) return;
    if (sequence.length > length) sequence.table.truncate(length);
    this.dispose();
  }

  dispose(): void {
    for (const branch of this.#branches) branch.sequence?.dispose();
    this.#branches = [];
    this.#distributions = undefined;
  }

  /** Rows of logits of every part, kept in memory of its own. */
  async #collect(engine: Engine, parts: readonly Part[], signal?: AbortSignal): Promise<LogitRow[][]> {
    const { vocabSize } = engine.network.config;
    const count = parts.reduce((sum, part) => sum + part.ids.length, 0);
    if (this.#memory.length < count * vocabSize) this.#memory = new Float32Array(count * vocabSize);
    const rows: LogitRow[][] = parts.map(() => []);
    let at = 0;
    const onOutput = ({ part, logits, logSumExp, likeliest }: OutputRow): void => {
      const own = this.#memory.subarray(at, at + vocabSize);
      at += vocabSize;
      own.set(logits);
      rows[part]!.push({ logits: own, logSumExp, likeliest });
    };
    await engine.advance(parts, { signal, onOutput });
    return rows;
  }
}
