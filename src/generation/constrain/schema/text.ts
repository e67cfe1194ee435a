/** Texts inside JSON strings: of some length, found by patterns, or listed. */
import { GrammarSyntaxError, UnsupportedKeywordError } from "../errors.js";
import { everyCharacter } from "../regular/code-points.js";
import { type Factor, IntersectionMachine, LengthMachine } from "../regular/combine.js";
import { jsonEncoding } from "../regular/encoding.js";
import { literalText } from "../regular/literal.js";
import type { Machine } from "../regular/machine.js";
import { RegexMachine } from "../regular/regex-machine.js";
import { parseRegex, type RegexNode } from "../regular/syntax.js";

/** Any text. */
export const anyText: Machine = new LengthMachine(0, Number.POSITIVE_INFINITY);

/** Patterns of one schema, each made once. */
export class Patterns {
  readonly #machines = new Map<string, RegexMachine>();

  /**
   * The texts in which a pattern is found somewhere, as `pattern` and `patternProperties` have it.
   * @param pointer - of the keyword that has the pattern
   * @throws UnsupportedKeywordError
   */
  machine(source: string, keyword: string, pointer: string): RegexMachine {
    let machine = this.#machines.get(source);
    if (machine === undefined) {
      const anything: RegexNode = {
        kind: "repeat",
        body: { kind: "set", ranges: everyCharacter },
        min: 0,
        max: Number.POSITIVE_INFINITY,
      };
      machine = new RegexMachine(
        { kind: "sequence", parts: [anything, read(source, keyword, pointer), anything] },
        jsonEncoding,
      );
      this.#machines.set(source, machine);
    }
    return machine;
  }
}

function read(source: string, keyword: string, pointer: string): RegexNode {
  try {
    return parseRegex(source);
  } catch (error) {
    if (!(error instanceof GrammarSyntaxError)) throw error;
    throw new UnsupportedKeywordError(keyword, pointer, `has a pattern that is not supported: ${error.message}`);
  }
}

/** The texts of a list. */
export function listed(texts: readonly string[]): RegexMachine {
  return new RegexMachine({ kind: "choice", options: texts.map(literalText) }, jsonEncoding);
}

/** Whether a machine of texts inside JSON strings accepts one. */
export function acceptsText(machine: Machine, text: string): boolean {
  let state = machine.start;
  for (const byte of new TextEncoder().encode(JSON.stringify(text).slice(1, -1))) {
    state = machine.step(state, byte);
    if (state < 0) return false;
  }
  return machine.accepts(state);
}

/** What a string has to be. */
export interface TextFacts {
  readonly min: number;
  readonly max: number;
  readonly patterns: readonly Machine[];
  /** The only ones that it can be; undefined: any. */
  readonly values: readonly string[] | undefined;
}

/** Texts, without quotes, of which all facts are true; undefined where there is none. */
export function textMachine({ min, max, patterns, values }: TextFacts): Machine | undefined {
  if (min > max) return undefined;
  const lengths = new LengthMachine(min, max);
  if (values !== undefined) {
    const left = values.filter((value) => [lengths, ...patterns].every((machine) => acceptsText(machine, value)));
    return left.length === 0 ? undefined : listed(left);
  }
  const bounded = min > 0 || max < Number.POSITIVE_INFINITY;
  if (patterns.length === 0) return bounded ? lengths : anyText;
  return intersected([...(bounded ? [lengths] : []), ...patterns]);
}

function intersected(machines: readonly Machine[]): Machine | undefined {
  if (machines.length > 1) return combined(machines.map((machine): Factor => ({ machine, negated: false })));
  const [only] = machines;
  return only instanceof RegexMachine && only.isEmpty ? undefined : only;
}

/** What is in every factor; undefined where that is nothing. */
export function combined(factors: readonly Factor[]): Machine | undefined {
  const machine = new IntersectionMachine(factors);
  return machine.isEmpty ? undefined : machine;
}
