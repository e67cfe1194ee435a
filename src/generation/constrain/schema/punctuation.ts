/** The signs between the values of a JSON document, with the white space that may stand around them. */
import { QuotedMachine } from "../regular/combine.js";
import { utf8Encoding } from "../regular/encoding.js";
import { literalText } from "../regular/literal.js";
import type { Machine } from "../regular/machine.js";
import { RegexMachine } from "../regular/regex-machine.js";
import { parseRegex } from "../regular/syntax.js";
import { MachineTerm, type Term } from "../term.js";

/** White space where it may stand: none, or a little, so that a model cannot go on with it for ever. */
export type Whitespace = "none" | "some";

const someSpace = "(?: |\\n[ \\t]{0,20})?";

export class Punctuation {
  static readonly #made = new Map<Whitespace, Punctuation>();

  /** The signs are the same for every schema, and what their machines have worked out is kept. */
  static of(whitespace: Whitespace): Punctuation {
    const made = Punctuation.#made.get(whitespace) ?? new Punctuation(whitespace);
    Punctuation.#made.set(whitespace, made);
    return made;
  }

  readonly space: Term;
  readonly openArray: Term;
  readonly closeArray: Term;
  readonly openObject: Term;
  readonly closeObject: Term;
  readonly comma: Term;
  readonly colon: Term;
  readonly emptyArray: Term;
  readonly emptyObject: Term;

  private constructor(whitespace: Whitespace) {
    const space = whitespace === "some" ? someSpace : "";
    const term = (source: string) => new MachineTerm(new RegexMachine(parseRegex(source), utf8Encoding));
    this.space = term(space);
    this.openArray = term(`\\[${space}`);
    this.closeArray = term(`${space}\\]`);
    this.openObject = term(`\\{${space}`);
    this.closeObject = term(`${space}\\}`);
    this.comma = term(`${space},${space}`);
    this.colon = term(`${space}:${space}`);
    this.emptyArray = term(`\\[${space}\\]`);
    this.emptyObject = term(`\\{${space}\\}`);
  }
}

const words = new Map<string, Term>();

/** `null`, `true` or `false`. */
export function word(text: "null" | "true" | "false"): Term {
  const term = words.get(text) ?? new MachineTerm(new RegexMachine(literalText(text), utf8Encoding));
  words.set(text, term);
  return term;
}

/** A JSON string with this content. */
export function quoted(content: Machine): MachineTerm {
  return new MachineTerm(new QuotedMachine(content));
}
