/** Fixed texts as regular expressions. */
import { rangesOf } from "./code-points.js";
import type { RegexNode } from "./syntax.js";

/** The text itself; unpaired surrogates count as U+FFFD, as in UTF-8. */
export function literalText(text: string): RegexNode {
  const parts = Array.from(text, (character): RegexNode => {
    const codePoint = character.codePointAt(0)!;
    const unpaired = codePoint >= 0xd800 && codePoint <= 0xdfff;
    const value = unpaired ? 0xfffd : codePoint;
    return { kind: "set", ranges: rangesOf([[value, value]]) };
  });
  return { kind: "sequence", parts };
}
