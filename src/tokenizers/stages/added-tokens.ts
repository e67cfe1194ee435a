/**
 * Added tokens: entries that are cut out of a text before anything else looks at it, such as `<|endoftext|>`.
 *
 * Follows Hugging Face's `AddedVocabulary`: leftmost longest match, first of the tokens that match the raw text, then,
 * in what is left, of those that match normalized text.
 */
import { Trie } from "../models/trie.js";
import { unitsAt, whitespace, wordCharacters } from "../text/code-points.js";

/** One added token. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** A control token: left out of decoded text by default, and text when `parseSpecialTokens` is false. */
  readonly special: boolean;
  /** Matches only where no word character touches it. */
  readonly singleWord?: boolean;
  /** Takes the white space before it along. */
  readonly stripLeft?: boolean;
  /** Takes the white space after it along. */
  readonly stripRight?: boolean;
  /** Is looked for in normalized text rather than in the text as given. */
  readonly normalized?: boolean;
  /** Is never read from text: it exists as an id alone. */
  readonly idOnly?: boolean;
}

/** Receives the pieces of a text in order: `id` is -1 for text between added tokens. */
export type SegmentSink = (id: number, start: number, end: number) => void;

/** Finds a set of added tokens in a text. */
export class AddedTokenMatcher {
  private readonly trie = new Trie();
  private readonly tokens: readonly AddedToken[];

  /** @param contentOf - the text to look for, when it is not the token's content as written. */
  constructor(tokens: readonly AddedToken[], contentOf: (token: AddedToken) => string = (token) => token.content) {
    this.tokens = tokens.filter((token) => token.idOnly !== true);
    this.tokens.forEach((token, index) => {
      this.trie.add(contentOf(token), index);
    });
  }

  /** Cuts `text` at the tokens it contains. Nothing is reported for an empty text. */
  split(text: string, parseSpecialTokens: boolean, onSegment: SegmentSink): void {
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const match = this.tokens.length === 0 ? undefined : this.trie.longest(text, at);
      if (match === undefined) {
        at = this.tokens.length === 0 ? text.length : at + 1;
        continue;
      }
      const token = this.tokens[match.value];
      const span = this.span(text, token, at, match.end, parseSpecialTokens);
      at = match.end;
      if (span === undefined) continue;
      const start = Math.max(span[0], done);
      if (done < start) onSegment(-1, done, start);
      onSegment(token.id, start, span[1]);
      done = span[1];
    }
    if (done < text.length) onSegment(-1, done, text.length);
  }

  /** The stretch that a match takes, or undefined when it does not count. */
  private span(
    text: string,
    token: AddedToken,
    start: number,
    end: number,
    parseSpecialTokens: boolean,
  ): [number, number] | undefined {
    if (token.special && !parseSpecialTokens) return undefined;
    if (token.singleWord && (wordBefore(text, start) || wordAfter(text, end))) return undefined;
    return [token.stripLeft ? spaceStart(text, start) : start, token.stripRight ? spaceEnd(text, end) : end];
  }
}

function wordBefore(text: string, at: number): boolean {
  if (at === 0) return false;
  const start = at >= 2 && unitsAt(text, at - 2) === 2 ? at - 2 : at - 1;
  return wordCharacters.has(text.codePointAt(start)!);
}

function wordAfter(text: string, at: number): boolean {
  return at < text.length && wordCharacters.has(text.codePointAt(at)!);
}

function spaceStart(text: string, at: number): number {
  let start = at;
  while (start > 0 && whitespace.has(text.charCodeAt(start - 1))) start--;
  return start;
}

function spaceEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && whitespace.has(text.charCodeAt(end))) end++;
  return end;
}
