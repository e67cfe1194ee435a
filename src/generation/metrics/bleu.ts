/**
 * Corpus BLEU: how many of a translation's runs of one to four words a reference has too, times a penalty for brevity.
 *
 * Papineni et al., 2002. The defaults are sacreBLEU's (Post, 2018, arXiv:1804.08771); with `tokenize: "none"`,
 * `lowercase` and `smoothing: "none"` the number is that of Moses' multi-bleu.perl -lc.
 */
import { InvalidValueError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { type Counts, countNgrams, matches, referencesOf } from "./ngrams.js";
import { words13a, wordsOf } from "./words.js";

export interface BleuOptions {
  /** How lines are cut into words: as mteval-v13a does, or at white space, for text that is tokenised. Default "13a". */
  readonly tokenize?: "13a" | "none";
  /** Default false. */
  readonly lowercase?: boolean;
  /** A precision without matches counts 1 / 2^k of a match (the k-th such one), or makes the score 0. Default "exp". */
  readonly smoothing?: "exp" | "none";
}

export interface BleuScore {
  /** 0 to 100. */
  readonly score: number;
  /** Of runs of one, two, three and four words, 0 to 100. */
  readonly precisions: readonly number[];
  readonly brevityPenalty: number;
  /** Words of all hypotheses. */
  readonly hypothesisLength: number;
  /** Words of the references that are nearest in length. */
  readonly referenceLength: number;
  /** sacreBLEU's signature, without its version. */
  readonly signature: string;
}

const order = 4;

/**
 * @param references - for each hypothesis one text, or several
 * @throws InvalidValueError unless there are as many references as hypotheses, at least one; UnknownOptionError
 */
export function bleu(
  hypotheses: readonly string[],
  references: readonly (string | readonly string[])[],
  options: BleuOptions = {},
): BleuScore {
  rejectUnknownOptions(options, ["tokenize", "lowercase", "smoothing"]);
  const { tokenize = "13a", lowercase = false, smoothing = "exp" } = options;
  if (!["13a", "none"].includes(tokenize)) throw new InvalidValueError("tokenize", '"13a" or "none"', tokenize);
  if (!["exp", "none"].includes(smoothing)) throw new InvalidValueError("smoothing", '"exp" or "none"', smoothing);
  const cut = tokenize === "13a" ? words13a : wordsOf;
  const words = (line: string) => cut(lowercase ? line.toLowerCase() : line);
  const all = referencesOf(hypotheses, references);
  const tally = new Tally();
  for (const [i, hypothesis] of hypotheses.entries()) tally.add(words(hypothesis), all[i]!.map(words));
  const most = Math.max(...all.map((each) => each.length));
  const signature = `nrefs:${most}|case:${lowercase ? "lc" : "mixed"}|eff:no|tok:${tokenize}|smooth:${smoothing}`;
  return { ...tally.score(smoothing), signature };
}

/** What BLEU is computed from, summed over the corpus. */
class Tally {
  readonly #correct = new Array<number>(order).fill(0);
  readonly #total = new Array<number>(order).fill(0);
  #length = 0;
  #referenceLength = 0;

  add(hypothesis: readonly string[], references: readonly (readonly string[])[]): void {
    this.#length += hypothesis.length;
    this.#referenceLength += nearest(
      hypothesis.length,
      references.map((each) => each.length),
    );
    for (let n = 1; n <= order; n++) {
      this.#total[n - 1]! += Math.max(0, hypothesis.length - n + 1);
      const most = largestCounts(references.map((each) => countNgrams(each, n, " ")));
      this.#correct[n - 1]! += matches(countNgrams(hypothesis, n, " "), most);
    }
  }

  score(smoothing: "exp" | "none"): Omit<BleuScore, "signature"> {
    const [length, referenceLength] = [this.#length, this.#referenceLength];
    const penalty = length === 0 ? 0 : Math.min(1, Math.exp(1 - referenceLength / length));
    const precisions = this.#precisions(smoothing);
    const mean = precisions.reduce((sum, each) => sum + Math.log(each), 0) / order;
    return {
      score: penalty * Math.exp(mean),
      precisions,
      brevityPenalty: penalty,
      hypothesisLength: length,
      referenceLength,
    };
  }

  #precisions(smoothing: "exp" | "none"): number[] {
    const hasMatch = this.#correct.some((count) => count > 0);
    let halvings = 1;
    return this.#correct.map((correct, i) => {
      const total = this.#total[i]!;
      if (total === 0 || !hasMatch) return 0;
      if (correct > 0 || smoothing === "none") return (100 * correct) / total;
      halvings *= 2;
      return 100 / (halvings * total);
    });
  }
}

/** The length nearest to `length`; of two equally near the shorter. */
function nearest(length: number, lengths: readonly number[]): number {
  return lengths.reduce((best, each) => {
    const [distance, least] = [Math.abs(each - length), Math.abs(best - length)];
    return distance < least || (distance === least && each < best) ? each : best;
  });
}

/** Of each n-gram the count of the reference that has it most often. */
function largestCounts(references: readonly Counts[]): Counts {
  const [first, ...others] = references as [Counts, ...Counts[]];
  for (const each of others) {
    for (const [key, count] of each) first.set(key, Math.max(first.get(key) ?? 0, count));
  }
  return first;
}
