/** How metrics cut a line into words. */

/** As Python has it, which sacreBLEU is written in: not the byte order mark, but the next-line character. */
const whiteSpace = /(?:[^\S\ufeff]|\u0085)+/;

/** What stands between white space. */
export function wordsOf(line: string): string[] {
  return line.split(whiteSpace).filter((word) => word !== "");
}

/** Entities and marks of the markup that mteval takes out. */
const markup: readonly (readonly [RegExp, string])[] = [
  [/<skipped>/g, ""],
  [/-\n/g, ""],
  [/\n/g, " "],
  [/&quot;/g, '"'],
  [/&amp;/g, "&"],
  [/&lt;/g, "<"],
  [/&gt;/g, ">"],
];

/** Punctuation; full stops and commas unless between digits; a dash after a digit. */
const separations: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/gu, " $1 "],
  [/([^0-9])([.,])/gu, "$1 $2 "],
  [/([.,])([^0-9])/gu, " $1 $2"],
  [/([0-9])(-)/gu, "$1 $2 "],
];

/** Words as mteval-v13a, and so WMT and sacreBLEU's default, cut them. */
export function words13a(line: string): string[] {
  let text = line.trimEnd();
  for (const [pattern, replacement] of markup) text = text.replace(pattern, replacement);
  text = ` ${text} `;
  for (const [pattern, replacement] of separations) text = text.replace(pattern, replacement);
  return wordsOf(text);
}
