/**
 * Regular expressions in JavaScript's syntax with the `u` flag (ECMA-262, §22.2), which is JSON Schema's too, read
 * into a tree. What is not regular or depends on what stands around it is refused: lookaround, back references, `\b`.
 */
import { holdLimit } from "../limits.js";
import { SourceReader } from "../source-reader.js";
import { complement, propertyRanges, type Range, type Ranges, rangesOf } from "./code-points.js";

export type RegexNode =
  | { readonly kind: "set"; readonly ranges: Ranges }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "choice"; readonly options: readonly RegexNode[] }
  /** `max` may be infinite. Greedy and lazy denote the same texts. */
  | { readonly kind: "repeat"; readonly body: RegexNode; readonly min: number; readonly max: number }
  | { readonly kind: "start" }
  | { readonly kind: "end" };

const digits: Ranges = [[0x30, 0x39]];
const words: Ranges = rangesOf([...digits, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]]);
const lineEnds: Ranges = rangesOf([
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
]);
const classes: Readonly<Record<string, () => Ranges>> = {
  d: () => digits,
  D: () => complement(digits),
  w: () => words,
  W: () => complement(words),
  s: () => spaces(),
  S: () => complement(spaces()),
};
const controls: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, "0": 0 };
const syntaxCharacters = "^$\\.*+?()[]{}|/";

function spaces(): Ranges {
  return rangesOf([[9, 13], [0xfeff, 0xfeff], [0x2028, 0x2029], ...propertyRanges("Zs")!]);
}

/** @throws GrammarSyntaxError, ConstraintLimitError */
export function parseRegex(source: string): RegexNode {
  return new RegexReader(source).read();
}

class RegexReader extends SourceReader {
  #depth = 0;

  constructor(source: string) {
    super("regular expression", source);
  }

  read(): RegexNode {
    const node = this.#choice();
    if (this.at < this.source.length) throw this.refusal("unmatched )");
    return node;
  }

  #choice(): RegexNode {
    holdLimit("nesting", ++this.#depth);
    const options = [this.#sequence()];
    while (this.take("|")) options.push(this.#sequence());
    this.#depth--;
    return options.length === 1 ? options[0] : { kind: "choice", options };
  }

  #sequence(): RegexNode {
    const parts: RegexNode[] = [];
    while (this.at < this.source.length && !"|)".includes(this.source[this.at])) parts.push(this.#repeated());
    return parts.length === 1 ? parts[0] : { kind: "sequence", parts };
  }

  #repeated(): RegexNode {
    const start = this.at;
    const body = this.#atom();
    const counts = this.#counts();
    if (counts === undefined) return body;
    if ("^$".includes(this.source[start])) throw this.refusal("nothing to repeat", start);
    if (counts[0] > counts[1]) throw this.refusal("a repeat whose bounds are out of order", start);
    this.take("?");
    return { kind: "repeat", body, min: counts[0], max: counts[1] };
  }

  #counts(): [number, number] | undefined {
    const sign = this.takeSign();
    if (sign !== undefined) return sign;
    const braces = this.match(/\{(\d{1,9})(?:(,)(\d{0,9}))?\}/y);
    if (braces === undefined) return undefined;
    const min = Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === "" ? Number.POSITIVE_INFINITY : Number(braces[3])];
  }

  #atom(): RegexNode {
    if (this.take("(")) return this.#group();
    if (this.take("[")) return { kind: "set", ranges: this.#class() };
    if (this.take(".")) return { kind: "set", ranges: complement(lineEnds) };
    if (this.take("^")) return { kind: "start" };
    if (this.take("$")) return { kind: "end" };
    if (this.take("\\")) return { kind: "set", ranges: this.#escape() };
    if ("*+?{}]".includes(this.source[this.at])) throw this.refusal("nothing to repeat, or a lone bracket");
    return { kind: "set", ranges: single(this.#codePoint()) };
  }

  #group(): RegexNode {
    if (this.take("?")) {
      const name = this.match(/(?::|<[A-Za-z_$][\w$]*>)/y);
      if (name === undefined) throw this.refusal("lookaround and modifiers are not supported,");
    }
    const body = this.#choice();
    if (!this.take(")")) throw this.refusal("a group that does not end");
    return body;
  }

  /** After the backslash, outside a class. */
  #escape(): Ranges {
    const next = this.source[this.at] ?? "";
    if (next === "b" || next === "B") throw this.refusal("word boundaries are not supported,");
    if (/[1-9k]/.test(next)) throw this.refusal("back references are not supported,");
    return this.#escapedClass() ?? single(this.#escapedCharacter(syntaxCharacters));
  }

  #escapedClass(): Ranges | undefined {
    const known = classes[this.source[this.at]];
    if (known !== undefined) {
      this.at++;
      return known();
    }
    const property = this.match(/([pP])\{([A-Za-z0-9_=]{1,64})\}/y);
    if (property === undefined) return undefined;
    const ranges = propertyRanges(property[2]);
    if (ranges === undefined) throw this.refusal(`unknown property ${property[2]}`);
    return property[1] === "p" ? ranges : complement(ranges);
  }

  #escapedCharacter(literal: string): number {
    const start = this.at;
    const pair = this.match(/u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})/y);
    if (pair !== undefined) {
      return 0x10000 + (Number.parseInt(pair[1], 16) - 0xd800) * 0x400 + Number.parseInt(pair[2], 16) - 0xdc00;
    }
    const hex = this.match(/u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})/y);
    if (hex !== undefined) {
      const value = Number.parseInt(hex[1] ?? hex[2] ?? hex[3], 16);
      if (value > 0x10ffff) throw this.refusal("a code point beyond U+10FFFF", start);
      return value;
    }
    const control = this.match(/c([A-Za-z])/y);
    if (control !== undefined) return control[1].charCodeAt(0) % 32;
    const character = this.source[this.at];
    const isOctal = character === "0" && /\d/.test(this.source[this.at + 1] ?? "");
    if (character in controls && !isOctal) {
      this.at++;
      return controls[character];
    }
    if (character === undefined || !literal.includes(character)) throw this.refusal("an unknown escape");
    return this.#codePoint();
  }

  /** After the opening bracket. */
  #class(): Ranges {
    const negative = this.take("^");
    const parts: Range[] = [];
    while (!this.take("]")) {
      if (this.at >= this.source.length) throw this.refusal("a class that does not end");
      const low = this.#classAtom();
      if (this.source[this.at] !== "-" || this.source[this.at + 1] === "]") {
        parts.push(...(typeof low === "number" ? single(low) : low));
        continue;
      }
      this.at++;
      const high = this.#classAtom();
      if (typeof low !== "number" || typeof high !== "number") throw this.refusal("a range from or to a class");
      if (low > high) throw this.refusal("a range that is out of order");
      parts.push([low, high]);
    }
    const ranges = rangesOf(parts);
    return negative ? complement(ranges) : ranges;
  }

  #classAtom(): number | Ranges {
    if (!this.take("\\")) {
      if (this.at >= this.source.length) throw this.refusal("a class that does not end");
      return this.#codePoint();
    }
    if (this.take("b")) return 8;
    return this.#escapedClass() ?? this.#escapedCharacter(`${syntaxCharacters}-`);
  }

  #codePoint(): number {
    const value = this.source.codePointAt(this.at)!;
    this.at += value > 0xffff ? 2 : 1;
    return value;
  }
}

function single(codePoint: number): Ranges {
  return rangesOf([[codePoint, codePoint]]);
}
