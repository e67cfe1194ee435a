/**
 * chrF: the F-score of runs of one to six characters, white space left out, recall counting twice as much.
 * Popović, 2015 (W15-3049); the numbers are sacreBLEU's. With `wordOrder: 2` it is chrF++ (Popović, 2017).
 */
import { OutOfRangeError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { countNgrams, matches, referencesOf } from "./ngrams.js";
import { wordsOf } from "./words.js";

export interface ChrfOptions {
  /** Runs of words that count too, from 0 to this length. Default 0. */
  readonly wordOrder?: number;
  /** Default false. */
  readonly lowercase?: boolean;
}

export interface ChrfScore {
  /** 0 to 100. */
  readonly score: number;
  /** sacreBLEU's signature, without its version. */
  readonly signature: string;
}

const characterOrder = 6;
const beta = 2;
const punctuation = new Set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");

/** For one length of run: how many the hypothesis has, the reference has, and both have. */
type Overlap = readonly [hypothesis: number, reference: number, both: number];

/**
 * @param references - for each hypothesis one text, or several: the one with the best score counts
 * @throws InvalidValueError unless there are as many references as hypotheses, at least one; UnknownOptionError
 */
export function chrf(
  hypotheses: readonly string[],
  references: readonly (string | readonly string[])[],
  options: ChrfOptions = {},
): ChrfScore {
  rejectUnknownOptions(options, ["wordOrder", "lowercase"]);
  const { wordOrder = 0, lowercase = false } = options;
  if (!(Number.isInteger(wordOrder) && wordOrder >= 0 && wordOrder <= 6)) {
    throw new OutOfRangeError("wordOrder", "a whole number from 0 to 6", wordOrder);
  }
  const read = (line: string) => (lowercase ? line.toLowerCase() : line);
  const all = referencesOf(hypotheses, references);
  let sums: Overlap[] = new Array<Overlap>(characterOrder + wordOrder).fill([0, 0, 0]);
  for (const [i, hypothesis] of hypotheses.entries()) {
    const best = bestOverlaps(
      read(hypothesis),
      all[i]!.map((reference) => read(reference)),
      wordOrder,
    );
    sums = sums.map((sum, n) => [sum[0] + best[n]![0], sum[1] + best[n]![1], sum[2] + best[n]![2]]);
  }
  const most = Math.max(...all.map((each) => each.length));
  const signature = `nrefs:${most}|case:${lowercase ? "lc" : "mixed"}|eff:yes|nc:${characterOrder}|nw:${wordOrder}|space:no`;
  return { score: fScore(sums), signature };
}

function bestOverlaps(hypothesis: string, references: readonly string[], wordOrder: number): Overlap[] {
  let best: Overlap[] = [];
  for (const reference of references) {
    const overlaps = [
      ...overlapsOf(charactersOf(hypothesis), charactersOf(reference), characterOrder, ""),
      ...overlapsOf(chrfWords(hypothesis), chrfWords(reference), wordOrder, " "),
    ];
    if (best.length === 0 || fScore(overlaps) > fScore(best)) best = overlaps;
  }
  return best;
}

function overlapsOf(
  hypothesis: readonly string[],
  reference: readonly string[],
  order: number,
  separator: string,
): Overlap[] {
  return Array.from({ length: order }, (_, i) => {
    const n = i + 1;
    const inReference = Math.max(0, reference.length - i);
    // Where the reference has no run of this length, the hypothesis' do not count.
    if (inReference === 0) return [0, 0, 0];
    const both = matches(countNgrams(hypothesis, n, separator), countNgrams(reference, n, separator));
    return [Math.max(0, hypothesis.length - i), inReference, both];
  });
}

/** Means of precision and of recall over the lengths that both sides have, joined by F_β. */
function fScore(overlaps: readonly Overlap[]): number {
  const counted = overlaps.filter(([hypothesis, reference]) => hypothesis > 0 && reference > 0);
  const mean = (values: number[]) => values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);
  const precision = mean(counted.map(([hypothesis, , both]) => both / hypothesis));
  const recall = mean(counted.map(([, reference, both]) => both / reference));
  if (precision + recall === 0) return 0;
  return (100 * (1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall);
}

/** Code points. */
function charactersOf(line: string): string[] {
  return Array.from(wordsOf(line).join(""));
}

/** Words with one mark of punctuation taken off the end, or else off the beginning. */
function chrfWords(line: string): string[] {
  return wordsOf(line).flatMap((word) => {
    const characters = Array.from(word);
    if (characters.length === 1) return [word];
    if (punctuation.has(characters.at(-1)!)) return [characters.slice(0, -1).join(""), characters.at(-1)!];
    if (punctuation.has(characters[0]!)) return [characters[0]!, characters.slice(1).join("")];
    return [word];
  });
}
