import { describe, expect, test } from "vitest";
import { UnsupportedError } from "../../core/errors.js";
import { Pattern, PatternCostError } from "./pattern.js";

function matches(source: string, text: string): string[] {
  const found: string[] = [];
  new Pattern(source).forEachMatch(text, (start, end) => found.push(text.slice(start, end)));
  return found;
}

describe("patterns of tokenizer files", () => {
  test.each<[source: string, text: string, expected: string[]]>([
    ["a|ab", "ab", ["a"]],
    ["a+?b|a", "aaab", ["aaab"]],
    ["a{2}", "aaaaa", ["aa", "aa"]],
    ["a{2,}", "aaaaa", ["aaaaa"]],
    ["a{,2}b", "aaab", ["aab"]],
    ["x*+x", "xxx", []],
    ["(?>a+)a", "aaa", []],
    ["\\p{L}++", "ab1c", ["ab", "c"]],
    ["(?i:'s|'t)", "'S't'x", ["'S", "'t"]],
    ["(?i)k", "kK\u212a", ["k", "K", "\u212a"]],
    ["\\d(?!\\d)", "12 3", ["2", "3"]],
    ["(?<=a)b", "ab bb", ["b"]],
    ["(?<!a)b", "ab bb", ["b", "b"]],
    ["[^\\s\\p{L}]", "a !", ["!"]],
    ["[a-z&&[^aeiou]]", "abe", ["b"]],
    ["[]a]", "]a", ["]", "a"]],
    ["[\\[\\]\\-]", "[-]", ["[", "-", "]"]],
    ["\\bthe\\b", "the then the", ["the", "the"]],
    ["^a|b$", "a\na b\nb", ["a", "a", "b", "b"]],
    ["\\A.", "a\nb", ["a"]],
    ["\\x{1F600}|\\u0041|\\x42", "A😀B", ["A", "😀", "B"]],
    [".", "😀\n", ["😀"]],
  ])("%s on %j", (source, text, expected) => {
    expect(matches(source, text)).toEqual(expected);
  });

  test.each([
    "(a",
    "a)",
    "[a",
    "*a",
    "a**b(",
    "\\1",
    "\\k<x>",
    "(?<=a+)b",
    "(?:a?)*",
    "a{3,2}",
    "[z-a]",
    "\\p{Nope}",
    "\\",
  ])("%s is refused by name", (source) => {
    expect(() => new Pattern(source)).toThrow(UnsupportedError);
  });

  test.each(["(a+)+$", "(a|a)*b", "(a|aa)+$", "a*a*a*a*a*a*b"])(
    "%s gives up soon instead of running for years",
    (source) => {
      const started = performance.now();
      expect(() => matches(source, `${"a".repeat(40)}!`)).toThrow(PatternCostError);
      expect(performance.now() - started).toBeLessThan(1000);
    },
  );
});
