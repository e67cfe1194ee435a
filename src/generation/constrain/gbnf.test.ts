import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeWithData } from "../../../test/data.js";
import type { Automaton } from "./automaton.js";
import { compileConstraint } from "./constraint.js";
import { ConstraintLimitError, EmptyConstraintError, GrammarSyntaxError } from "./errors.js";

const encoder = new TextEncoder();
const grammar = (source: string) => compileConstraint({ grammar: source });

function accepts(automaton: Automaton, text: string): boolean {
  return automaton.run(encoder.encode(text))?.mayEnd === true;
}

describe("a GBNF grammar", () => {
  test.each<[source: string, yes: string[], no: string[]]>([
    ['root ::= "a" | "b" "c"', ["a", "bc"], ["", "b", "ac", "abc"]],
    ['root ::= "ab"* # twice\n', ["", "ab", "abab"], ["a", "aba"]],
    ['root ::= ("a" |\n "b")+ "!"?', ["ab", "b!"], ["", "!"]],
    ["root ::= [^a-c\\]]{2,3}", ["dd", "[日😀"], ["d", "da", "d]", "dddd"]],
    ['root ::= x{2} y{,1}\nx ::= [0-9]\ny ::= "\\u00e9\\n"', ["12", "12é\n"], ["1", "123"]],
    ['root ::= "(" root ")" | ""', ["", "()", "((()))"], ["(", "())"]],
    ['root ::= a a\na ::= b?\nb ::= "x" b?', ["", "x", "xxx"], ["y"]],
    ["root ::= . .", ["😀é"], ["a"]],
    ['root ::= ("a"?)* "b"', ["b", "aaab"], ["a"]],
  ])("%j", (source, yes, no) => {
    const automaton = grammar(source);
    for (const text of yes) expect(accepts(automaton, text), text).toBe(true);
    for (const text of no) expect(accepts(automaton, text), text).toBe(false);
  });

  test("completes any beginning by a shortest way", () => {
    const automaton = grammar('root ::= "[" (root ("," root)*)? "]" | "null" | "0"');
    for (const beginning of ["", "[", "[[[0,", "[nu"]) {
      const rest = automaton.completion(automaton.run(encoder.encode(beginning))!);
      expect(accepts(automaton, beginning + new TextDecoder().decode(rest))).toBe(true);
    }
    expect(automaton.completion(automaton.run(encoder.encode("[[0,"))!)).toEqual(encoder.encode("0]]"));
  });

  test("a state is the same object however a text came to it, and knows whether anything may follow", () => {
    const automaton = grammar('root ::= "a" [0-9]+ | "b" [0-9]+ | "c"');
    const run = (text: string) => automaton.run(encoder.encode(text));
    expect(run("a1")).toBe(run("a999"));
    expect(run("c")!.goesOn).toBe(false);
    expect(run("b1")!.goesOn).toBe(true);
    expect(run("d")).toBeNull();
  });

  test.each([
    ['x ::= "a"', /no rule root/],
    ["root ::= x", /no rule x at character 9 \(line 1, column 10\)/],
    ['root ::= "a', /does not end/],
    ['root ::= ("a"', /does not end/],
    ["root ::= [a", /does not end/],
    ['root ::= "a" )', /end of the rule/],
    ['root ::= "a"{2,1}', /out of order/],
    ['root ::= "\\q"', /escape/],
    ['root ::= "a"\nroot ::= "b"', /second rule/],
    ['root ::= root "a" | "b"', /begins with itself/],
    ['root ::= x\nx ::= ("y"? root)', /begins with itself/],
  ])("%j is refused", (source, message) => {
    expect(() => grammar(source)).toThrow(GrammarSyntaxError);
    expect(() => grammar(source)).toThrow(message);
  });

  test("one that admits nothing, or too much, is refused by name", () => {
    expect(() => grammar('root ::= "a" root')).toThrow(EmptyConstraintError);
    expect(() => grammar(`root ::= ${"(".repeat(500)}`)).toThrow(ConstraintLimitError);
  });
});

describeWithData("json-schema-suite", "llama.cpp's own grammars", (folder) => {
  const open = (name: string) => grammar(readFileSync(join(folder, "gbnf", `${name}.gbnf`), "utf8"));

  test.each<[name: string, yes: string[], no: string[]]>([
    ["arithmetic", ["1 +2=3\n", "(a1*3)/4=x\n"], ["1+=2\n", "1=2"]],
    ["c", ["int main(){return 1;}", "float f(int a){while(a<1){a = a-1;}}"], ["int"]],
    ["chess", ["1. e4 e5\n2. Nf3 Nc6\n", "1. d4 d5\n10. O-O O-O-O+\n"], ["1. e4 e5", "2. e4 e5\n"]],
    ["english", ["Hello, world!"], []],
    ["japanese", ["こんにちは 世界"], ["hello"]],
    ["json", ['{"a": [1, 2.5e3, null], "é": "\\u00e9"}', "{}"], ['{"a"}', "[1]", "{'a':1}"]],
    ["json_arr", ['[\n1,\n{"a": true}]'], ["{}", "[1]"]],
    ["list", ["- one\n- two\n"], ["one\n"]],
  ])("%s", (name, yes, no) => {
    const automaton = open(name);
    for (const text of yes) expect(accepts(automaton, text), text).toBe(true);
    for (const text of no) expect(accepts(automaton, text), text).toBe(false);
  });
});
