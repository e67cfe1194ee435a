import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GrammarSyntaxError } from "../errors.js";
import { IntersectionMachine, LengthMachine } from "./combine.js";
import { jsonEncoding, utf8Encoding } from "./encoding.js";
import { literalText } from "./literal.js";
import type { Machine } from "./machine.js";
import { RegexMachine } from "./regex-machine.js";
import { parseRegex } from "./syntax.js";

function runs(machine: Machine, bytes: Uint8Array): number {
  let state = machine.start;
  for (const byte of bytes) {
    state = machine.step(state, byte);
    if (state < 0) return -1;
  }
  return state;
}

function matches(machine: Machine, text: string): boolean {
  const state = runs(machine, new TextEncoder().encode(text));
  return state >= 0 && machine.accepts(state);
}

const regex = (source: string) => new RegexMachine(parseRegex(source), utf8Encoding);

const characters = fc.constantFrom(..."ab01-_ .\n\r\u2028é日😀𝒜\u00a0ßſ");
const atom = fc.constantFrom(
  ..."a b 0 - _ é 日 😀 . \\d \\D \\w \\W \\s \\S \\n \\. \\u0061 \\u{1F600} \\x62 \\p{L} \\P{L} [ab] [^a] [a-z0-9] [^\\s\\d] [é-日] [] ^ $".split(
    " ",
  ),
);
const expression = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `${a}${b}`),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
    fc
      .tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,}", "*?"))
      .map(([a, count]) => `(${a})${count}`),
  ),
})).node;

describe("a regular expression", () => {
  test("matches the texts that JavaScript's own matches", () => {
    const text = fc.array(characters, { maxLength: 6 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(expression, fc.array(text, { minLength: 8, maxLength: 8 }), (source, texts) => {
        const machine = regex(source);
        const own = new RegExp(`^(?:${source})$`, "u");
        for (const each of texts) expect(matches(machine, each), `${source} on ${each}`).toBe(own.test(each));
      }),
      { numRuns: Number(process.env.HITHERTO_FUZZ ?? 250) },
    );
  });

  test("a digit may follow any escape but that of zero", () => {
    expect(matches(regex("a\\n0\\t9"), "a\n0\t9")).toBe(true);
    expect(matches(regex("\\0a"), "\0a")).toBe(true);
    expect(() => regex("\\01")).toThrow(/unknown escape/);
  });

  test("leads only to states from which it can still be matched", () => {
    fc.assert(
      fc.property(expression, (source) => {
        const machine = regex(source);
        if (machine.isEmpty) return;
        const seen = new Set([machine.start]);
        let ends = false;
        for (const state of seen) {
          ends ||= machine.accepts(state);
          if (seen.size > 200) return;
          let goesOn = machine.accepts(state);
          for (let byte = 0; byte < 256; byte++) {
            const next = machine.step(state, byte);
            if (next >= 0) seen.add(next);
            goesOn ||= next >= 0;
          }
          expect(goesOn, source).toBe(true);
        }
        expect(ends, source).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("inside a JSON string takes every spelling of its characters, and only those", () => {
    const machine = new RegexMachine(parseRegex("[a/\\n😀]"), jsonEncoding);
    const spellings = [
      "a",
      "\\u0061",
      "/",
      "\\/",
      "\\u002F",
      "\\n",
      "\\u000a",
      "😀",
      "\\ud83d\\ude00",
      "\\uD83D\\uDE00",
    ];
    for (const each of spellings) {
      expect(JSON.parse(`"${each}"`)).toMatch(/^[a/\n😀]$/u);
      expect(matches(machine, each), each).toBe(true);
    }
    for (const each of ["b", "\n", '"', "\\", "\\u0062", "\\ud83d", "\\a", "\\u00"]) {
      expect(matches(machine, each), each).toBe(false);
    }
  });

  test.each([
    "(?=a)",
    "(?!a)",
    "\\1",
    "\\bfoo",
    "(a",
    "a)",
    "[a",
    "*a",
    "a{3,2}",
    "[z-a]",
    "\\p{Nope}",
    "\\",
    "\\q",
    "^*",
  ])("%s is refused with the place where it went wrong", (source) =>
    expect(() => parseRegex(source)).toThrow(GrammarSyntaxError),
  );

  test("combinations know which beginnings can still end", () => {
    const all = { machine: new LengthMachine(0, 3), negated: false };
    const a = { machine: new RegexMachine(parseRegex("a*"), jsonEncoding), negated: false };
    const notTwo = { machine: new RegexMachine(literalText("aa"), jsonEncoding), negated: true };
    const both = new IntersectionMachine([all, a, notTwo]);
    const accepted = ["", "a", "aa", "aaa", "aaaa", "b"].map((text) => matches(both, text));
    expect(accepted).toEqual([true, true, false, true, false, false]);
    const none = new IntersectionMachine([{ machine: new LengthMachine(4, 9), negated: false }, a, all]);
    expect(none.isEmpty).toBe(true);
  });
});
