/** SentencePiece's normalizer (`normalizer.cc`): character map, white space, and the space put before a text. */
import type { Trie } from "../../models/trie.js";
import { CharMap } from "../../stages/char-map.js";
import type { Normalizer } from "../../stages/normalizers.js";
import { utf8 } from "../../text/bytes.js";
import { unitsAt } from "../../text/code-points.js";
import type { SentencePieceNormalizerSpec } from "./proto.js";

/** What SentencePiece writes for a space. */
export const spaceSymbol = "▁";

/** @param userDefined - pieces that are copied as they are. */
export function sentencePieceNormalizer(
  spec: SentencePieceNormalizerSpec,
  whitespaceAsSuffix: boolean,
  userDefined: Trie,
  format: string,
): Normalizer {
  const map = new CharMap(spec.charMap, format);
  const space = spec.escapeWhitespace ? spaceSymbol : " ";
  const before = spec.addDummyPrefix && !whitespaceAsSuffix ? space : "";
  const after = spec.addDummyPrefix && whitespaceAsSuffix ? space : "";
  return (text) => {
    let normalized = text === "" ? "" : before;
    let afterSpace = spec.removeExtraWhitespace;
    for (const chunk of mappedChunks(text, map, userDefined)) {
      const kept = afterSpace ? chunk.replace(/^ +/, "") : chunk;
      if (kept === "") continue;
      normalized += spec.escapeWhitespace ? kept.replaceAll(" ", spaceSymbol) : kept;
      afterSpace = spec.removeExtraWhitespace && kept.endsWith(" ");
    }
    // The space put before the text goes too when nothing follows it.
    if (spec.removeExtraWhitespace) while (normalized.endsWith(space)) normalized = normalized.slice(0, -1);
    return normalized === "" ? "" : normalized + after;
  };
}

/** The text, stretch by stretch: user-defined pieces, what the map makes of its longest keys, other characters. */
function* mappedChunks(text: string, map: CharMap, userDefined: Trie): Generator<string> {
  const bytes = utf8(text);
  let byteAt = 0;
  for (let at = 0; at < text.length; ) {
    const piece = userDefined.longest(text, at);
    const match = piece === undefined ? map.match(bytes, byteAt, bytes.length, "longest") : undefined;
    const end = piece?.end ?? (match === undefined ? at + unitsAt(text, at) : endAfterBytes(text, at, match.length));
    const chunk = text.slice(at, end);
    yield match?.replacement ?? chunk;
    byteAt += utf8(chunk).length;
    at = end;
  }
}

/** Where the character ends that holds the `count`-th UTF-8 byte from `at`. */
function endAfterBytes(text: string, at: number, count: number): number {
  let end = at;
  for (let bytes = 0; bytes < count && end < text.length; ) {
    const codePoint = text.codePointAt(end)!;
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    end += codePoint < 0x10000 ? 1 : 2;
  }
  return end;
}
