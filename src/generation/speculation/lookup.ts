/**
 * Prompt lookup: what followed the last few tokens when they came before is proposed again. Nothing is computed, so
 * nothing is lost; it gains where output repeats the prompt or itself: summaries, corrections, code.
 *
 * Saxena, 2023, "Prompt lookup decoding".
 */
import { OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { noProposal, type Proposal, type ProposalPlace, type Proposer } from "./proposer.js";

export interface LookupOptions {
  /** Tokens that are looked for at most. Default 4. */
  readonly longest?: number;
  /** Tokens that have to be the same at least. Default 2. */
  readonly shortest?: number;
}

export class LookupProposer implements Proposer {
  readonly name = "lookup";
  /** Of every run of `shortest` tokens: where it ended last, and the time before, by its key. */
  readonly #ends = new Map<string, number[]>();
  readonly #longest: number;
  readonly #shortest: number;
  #seen: number[] = [];

  /** @throws UnknownOptionError, OutOfRangeError */
  constructor(options: LookupOptions = {}) {
    rejectUnknownOptions(options, ["longest", "shortest"], "speculation.lookup");
    const { shortest = 2, longest = Math.max(4, shortest) } = options;
    checkWhole("speculation.lookup.shortest", shortest, 1);
    checkWhole("speculation.lookup.longest", longest, shortest);
    [this.#shortest, this.#longest] = [shortest, longest];
  }

  propose({ ids, count }: ProposalPlace): Proposal {
    this.#read(ids);
    const end = this.#bestEnd(ids);
    if (end === undefined) return noProposal;
    // What is proposed may run into the place where it stands: then it goes round.
    const period = ids.length - end;
    return { tokens: Array.from({ length: count }, (_, i) => ids[end + (i % period)]!) };
  }

  /** Where the longest run like the last tokens ended; of several as long, the latest. */
  #bestEnd(ids: readonly number[]): number | undefined {
    let best: number | undefined;
    let length = this.#shortest - 1;
    const ends = this.#ends.get(keyOf(ids, ids.length, this.#shortest)) ?? [];
    for (let i = ends.length - 1; i >= 0 && length < this.#longest; i--) {
      const end = ends[i]!;
      if (end === ids.length) continue;
      let same = this.#shortest;
      while (same < this.#longest && same < end && ids[end - same - 1] === ids[ids.length - same - 1]) same++;
      if (same > length) [best, length] = [end, same];
    }
    return best;
  }

  /** Takes note of the tokens that were added; a timeline that was cut is read anew. */
  #read(ids: readonly number[]): void {
    const seen = this.#seen.length;
    if (seen > ids.length || this.#seen.some((id, i) => id !== ids[i])) {
      this.#ends.clear();
      this.#seen = [];
    }
    for (let end = this.#seen.length + 1; end <= ids.length; end++) {
      this.#seen.push(ids[end - 1]!);
      if (end < this.#shortest) continue;
      const key = keyOf(ids, end, this.#shortest);
      const ends = this.#ends.get(key);
      if (ends === undefined) this.#ends.set(key, [end]);
      else ends.push(end);
    }
  }
}

function keyOf(ids: readonly number[], end: number, length: number): string {
  return ids.slice(Math.max(0, end - length), end).join(" ");
}

function checkWhole(name: string, value: number, from: number): void {
  if (!(Number.isInteger(value) && value >= from))
    throw new OutOfRangeError(name, `a whole number from ${from} on`, value);
}
