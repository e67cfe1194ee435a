/** What the readers of regular expressions and of GBNF share: a text read from front to back. */
import { GrammarSyntaxError } from "./errors.js";

export abstract class SourceReader {
  /** Index of the UTF-16 unit to be read next. */
  protected at = 0;

  constructor(
    readonly language: GrammarSyntaxError["language"],
    readonly source: string,
  ) {}

  /** Passes over `text`, if it comes next; whether it did. */
  protected take(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** @param pattern - sticky */
  protected match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found === null) return undefined;
    this.at += found[0].length;
    return found;
  }

  /** How often `*`, `+` or `?` repeats: least and most. */
  protected takeSign(): [number, number] | undefined {
    if (this.take("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.take("+")) return [1, Number.POSITIVE_INFINITY];
    return this.take("?") ? [0, 1] : undefined;
  }

  protected refusal(problem: string, at = this.at): GrammarSyntaxError {
    return new GrammarSyntaxError(this.language, this.source, at, problem);
  }
}
