/**
 * How characters are written as bytes: plainly, in UTF-8, or inside a JSON string, where many have several spellings.
 *
 * Both give a range of characters as sequences of byte ranges, cut where the first bytes stop being independent of
 * the later ones (Thompson's construction for UTF-8; Cox, "Regular Expression Matching in the Wild", 2010).
 */
import { intersection, type Range, type Ranges } from "./code-points.js";

/** One byte range after the other: every way to choose a byte from each is a spelling of some character. */
export type ByteSequence = readonly Range[];

/** All spellings of the characters of a set. */
export type Encoding = (ranges: Ranges) => ByteSequence[];

/** UTF-8. */
export const utf8Encoding: Encoding = (ranges) => ranges.flatMap((range) => utf8Sequences(range));

const utf8Lengths: Ranges = [
  [0, 0x7f],
  [0x80, 0x7ff],
  [0x800, 0xffff],
  [0x10000, 0x10ffff],
];
const utf8Leads = [0, 0xc0, 0xe0, 0xf0];

function utf8Sequences(range: Range): ByteSequence[] {
  return utf8Lengths.flatMap((length, more) =>
    intersection([range], [length]).flatMap(([low, high]) =>
      digitSequences(low, high, 64, more + 1).map((digits) =>
        digits.map(([from, to], i): Range => {
          const base = i === 0 ? utf8Leads[more] : 0x80;
          return [base + from, base + to];
        }),
      ),
    ),
  );
}

/** The numbers from `low` to `high`, written with `count` digits, as sequences of independent digit ranges. */
function digitSequences(low: number, high: number, base: number, count: number): Range[][] {
  if (count === 1) return [[[low, high]]];
  const unit = base ** (count - 1);
  const first = Math.floor(low / unit);
  const last = Math.floor(high / unit);
  const lowRest = low - first * unit;
  const highRest = high - last * unit;
  const prefixed = (from: number, to: number, restLow: number, restHigh: number): Range[][] =>
    digitSequences(restLow, restHigh, base, count - 1).map((rest) => [[from, to], ...rest]);
  if (first === last) return prefixed(first, first, lowRest, highRest);
  const from = lowRest === 0 ? first : first + 1;
  const to = highRest === unit - 1 ? last : last - 1;
  return [
    ...(from > first ? prefixed(first, first, lowRest, unit - 1) : []),
    ...(from <= to ? prefixed(from, to, 0, unit - 1) : []),
    ...(to < last ? prefixed(last, last, 0, highRest) : []),
  ];
}

/** Characters that stand for themselves in a JSON string: all but `"`, `\` and the controls (RFC 8259, §7). */
const unescaped: Ranges = [
  [0x20, 0x21],
  [0x23, 0x5b],
  [0x5d, 0x10ffff],
];
const shortEscapes: readonly (readonly [character: string, letter: string])[] = [
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["\b", "b"],
  ["\f", "f"],
  ["\n", "n"],
  ["\r", "r"],
  ["\t", "t"],
];

/** Inside a JSON string: plain, `\n` and its like, `\uXXXX`, and two of those for a character beyond U+FFFF. */
export const jsonEncoding: Encoding = (ranges) => [
  ...utf8Encoding(intersection(ranges, unescaped)),
  ...shortEscapes
    .filter(([character]) => contains(ranges, character.charCodeAt(0)))
    .map(([, letter]) => bytesOf(`\\${letter}`)),
  ...intersection(ranges, [[0, 0xffff]]).flatMap(([low, high]) => hexSequences(low, high)),
  ...intersection(ranges, [[0x10000, 0x10ffff]]).flatMap(([low, high]) => surrogateSequences(low, high)),
];

function contains(ranges: Ranges, codePoint: number): boolean {
  return ranges.some(([low, high]) => codePoint >= low && codePoint <= high);
}

/** A fixed text of ASCII characters. */
function bytesOf(text: string): ByteSequence {
  return [...text].map((character): Range => [character.charCodeAt(0), character.charCodeAt(0)]);
}

function hexSequences(low: number, high: number): ByteSequence[] {
  return digitSequences(low, high, 16, 4)
    .flatMap((digits) => spelledHex(digits))
    .map((digits) => [...bytesOf("\\u"), ...digits]);
}

/** Digit ranges as ASCII: each is up to three ranges, of decimal digits, lower and upper case letters. */
function spelledHex(digits: readonly Range[]): ByteSequence[] {
  let sequences: Range[][] = [[]];
  for (const [low, high] of digits) {
    const options: Range[] = [];
    if (low <= 9) options.push([0x30 + low, 0x30 + Math.min(9, high)]);
    if (high >= 10) {
      const from = Math.max(10, low) - 10;
      options.push([0x41 + from, 0x41 + high - 10], [0x61 + from, 0x61 + high - 10]);
    }
    sequences = sequences.flatMap((sequence) => options.map((option) => [...sequence, option]));
  }
  return sequences;
}

function surrogateSequences(low: number, high: number): ByteSequence[] {
  // A character beyond U+FFFF is two digits in base 1024, offset by 0x10000.
  return digitSequences(low - 0x10000, high - 0x10000, 1024, 2).flatMap(([upper, lower]) => {
    const first = hexSequences(0xd800 + upper[0], 0xd800 + upper[1]);
    const second = hexSequences(0xdc00 + lower[0], 0xdc00 + lower[1]);
    return first.flatMap((head) => second.map((tail) => [...head, ...tail]));
  });
}
