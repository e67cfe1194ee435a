/**
 * GBNF, the grammars of llama.cpp (its `grammars/README.md`), read into terms.
 *
 * Alternatives, groups, literals, classes of characters, `.`, and the repeats `*`, `+`, `?`, `{m,n}`; `#` begins a
 * comment. A line break ends a rule but inside parentheses, behind `::=` and behind `|`.
 */
import { GrammarSyntaxError } from "./errors.js";
import { holdLimit } from "./limits.js";
import { complement, everyCharacter, type Range, type Ranges, rangesOf } from "./regular/code-points.js";
import { utf8Encoding } from "./regular/encoding.js";
import { literalText } from "./regular/literal.js";
import { characterMachine } from "./regular/machine.js";
import { RegexMachine } from "./regular/regex-machine.js";
import { SourceReader } from "./source-reader.js";
import { ChoiceTerm, MachineTerm, RepeatTerm, RuleTerm, settle, type Term } from "./term.js";

const rootName = "root";

/**
 * @returns the rule `root`
 * @throws GrammarSyntaxError for a text that is not GBNF, for a rule that is missing, and for one that begins with
 *   itself; ConstraintLimitError
 */
export function parseGbnf(source: string): Term {
  const rules = new GbnfReader(source).read();
  settle([...rules.values()].map(({ term }) => term));
  refuseLeftRecursion(source, rules);
  return rules.get(rootName)!.term;
}

interface Rule {
  readonly term: RuleTerm;
  /** Where it is mentioned first. */
  readonly at: number;
  defined: boolean;
}

class GbnfReader extends SourceReader {
  #depth = 0;
  readonly #rules = new Map<string, Rule>();
  readonly #sets = new Map<string, Term>();

  constructor(source: string) {
    super("GBNF", source);
  }

  read(): Map<string, Rule> {
    this.#space(true);
    while (this.at < this.source.length) this.#rule();
    if (!this.#rules.has(rootName)) throw this.refusal(`no rule ${rootName}`);
    for (const [name, { defined, at }] of this.#rules) if (!defined) throw this.refusal(`no rule ${name}`, at);
    return this.#rules;
  }

  #rule(): void {
    const start = this.at;
    const rule = this.#named();
    if (rule.defined) throw this.refusal(`a second rule ${rule.term.name}`, start);
    rule.defined = true;
    this.#space(false);
    if (!this.take("::=")) throw this.refusal("::= expected");
    this.#space(true);
    rule.term.define(this.#alternatives(false));
    if (this.at < this.source.length && !/[\r\n]/.test(this.source[this.at]))
      throw this.refusal("the end of the rule expected");
    this.#space(true);
  }

  #named(): Rule {
    const at = this.at;
    const name = this.match(/[a-zA-Z0-9_-]+/y)?.[0];
    if (name === undefined) throw this.refusal("the name of a rule expected");
    let rule = this.#rules.get(name);
    if (rule === undefined) {
      holdLimit("rules", this.#rules.size + 1);
      rule = { term: new RuleTerm(name), at, defined: false };
      this.#rules.set(name, rule);
    }
    return rule;
  }

  #alternatives(nested: boolean): Term[][] {
    holdLimit("nesting", ++this.#depth);
    const options = [this.#sequence(nested)];
    while (this.take("|")) {
      this.#space(true);
      options.push(this.#sequence(nested));
    }
    this.#depth--;
    return options;
  }

  #sequence(nested: boolean): Term[] {
    const terms: Term[] = [];
    for (let term = this.#symbol(); term !== undefined; term = this.#symbol()) {
      this.#space(nested);
      terms.push(this.#repeated(term, nested));
    }
    return terms;
  }

  #repeated(term: Term, nested: boolean): Term {
    const start = this.at;
    const counts = this.#counts();
    if (counts === undefined) return term;
    if (counts[0] > counts[1]) throw this.refusal("a repeat whose bounds are out of order", start);
    this.#space(nested);
    return this.#repeated(new RepeatTerm(term, ...counts), nested);
  }

  #counts(): [number, number] | undefined {
    const sign = this.takeSign();
    if (sign !== undefined) return sign;
    if (this.source[this.at] !== "{") return undefined;
    const braces = this.match(/\{\s*(\d{0,9})\s*(?:(,)\s*(\d{0,9})\s*)?\}/y);
    if (braces === undefined || (braces[1] === "" && !braces[3])) throw this.refusal("a count such as {2,5} expected");
    const min = braces[1] === "" ? 0 : Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === "" ? Number.POSITIVE_INFINITY : Number(braces[3])];
  }

  #symbol(): Term | undefined {
    const start = this.at;
    if (this.take('"')) return this.#literal(start);
    if (this.take("[")) return this.#set(this.#class(start));
    if (this.take(".")) return this.#set(everyCharacter);
    if (this.take("(")) {
      this.#space(true);
      const options = this.#alternatives(true);
      if (!this.take(")")) throw this.refusal("a group that does not end", start);
      return new ChoiceTerm(options);
    }
    if (/[a-zA-Z0-9_-]/.test(this.source[this.at] ?? "")) return this.#named().term;
    return undefined;
  }

  #literal(start: number): Term {
    let text = "";
    while (!this.take('"')) text += String.fromCodePoint(this.#character(start));
    return new MachineTerm(new RegexMachine(literalText(text), utf8Encoding));
  }

  #class(start: number): Ranges {
    const negative = this.take("^");
    const parts: Range[] = [];
    while (!this.take("]")) {
      const low = this.#character(start);
      const isRange = this.source[this.at] === "-" && this.source[this.at + 1] !== "]";
      if (isRange) this.at++;
      const high = isRange ? this.#character(start) : low;
      if (high < low) throw this.refusal("a range that is out of order");
      parts.push([low, high]);
    }
    const ranges = rangesOf(parts);
    return negative ? complement(ranges) : ranges;
  }

  #set(ranges: Ranges): Term {
    const key = ranges.join(";");
    let term = this.#sets.get(key);
    if (term === undefined) {
      term = new MachineTerm(characterMachine(ranges, utf8Encoding));
      this.#sets.set(key, term);
    }
    return term;
  }

  /** One character of a literal or a class that begins at `start`. */
  #character(start: number): number {
    const codePoint = this.source.codePointAt(this.at);
    if (codePoint === undefined || codePoint === 10) throw this.refusal("a literal or class that does not end", start);
    if (codePoint !== 0x5c) {
      this.at += codePoint > 0xffff ? 2 : 1;
      return codePoint;
    }
    const hex = this.match(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y);
    if (hex !== undefined) {
      const value = Number.parseInt(hex[1] ?? hex[2] ?? hex[3], 16);
      if (value > 0x10ffff) throw this.refusal("a code point beyond U+10FFFF");
      return value;
    }
    const escaped = this.match(/\\([nrt\\"[\]^-])/y)?.[1];
    if (escaped === undefined) throw this.refusal("an unknown escape");
    return (controls[escaped] ?? escaped).charCodeAt(0);
  }

  /** Passes over white space and comments, over line breaks too where they mean nothing. */
  #space(lineBreaks: boolean): void {
    this.match(lineBreaks ? /(?:[ \t\r\n]|#[^\n]*)+/y : /(?:[ \t]|#[^\n]*)+/y);
  }
}

const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** A rule that begins with itself would be looked for without end. */
function refuseLeftRecursion(source: string, rules: ReadonlyMap<string, Rule>): void {
  const state = new Map<Term, "open" | "done">();
  const visit = (term: Term): void => {
    if (term instanceof MachineTerm || state.get(term) === "done") return;
    if (state.get(term) === "open") {
      const name = term instanceof RuleTerm ? term.name : rootName;
      throw new GrammarSyntaxError("GBNF", source, rules.get(name)!.at, `the rule ${name} begins with itself`);
    }
    state.set(term, "open");
    for (const option of optionsOf(term)) {
      for (const part of option) {
        visit(part);
        if (part.shortest() > 0) break;
      }
    }
    state.set(term, "done");
  };
  for (const { term } of rules.values()) visit(term);
}

function optionsOf(term: Term): readonly (readonly Term[])[] {
  if (term instanceof RuleTerm || term instanceof ChoiceTerm) return term.options;
  return term instanceof RepeatTerm ? [[term.body]] : [];
}
