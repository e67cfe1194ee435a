import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileConstraint } from "../constraint.js";
import { ConstraintLimitError, EmptyConstraintError, InvalidSchemaError, UnsupportedKeywordError } from "../errors.js";
import { digitsAtMost } from "../limits.js";
import type { JsonSchema } from "./node.js";
import { decimal, numberMachine, rangeOf } from "./number.js";

const encoder = new TextEncoder();

function accepts(schema: JsonSchema, text: string, whitespace: "some" | "none" = "none"): boolean {
  return compileConstraint({ jsonSchema: schema, whitespace }).run(encoder.encode(text))?.mayEnd === true;
}

describe("numbers in a range", () => {
  const bound = fc.oneof(fc.integer({ min: -400, max: 400 }), fc.double({ min: -30, max: 30, noNaN: true }));
  const value = fc.oneof(
    bound,
    fc.integer({ min: -99, max: 99 }).map((n) => n / 10),
  );

  test("are those that compare so, whole ones too", () => {
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.boolean(),
        fc.boolean(),
        fc.array(value, { maxLength: 8 }),
        (a, b, exclusive, whole, values) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          const range = exclusive ? rangeOf([], [low], [], [high], whole) : rangeOf([low], [], [high], [], whole);
          const machine = numberMachine(range);
          for (const each of [...values, low, high, 0]) {
            const inside = exclusive ? each > low && each < high : each >= low && each <= high;
            let state = machine?.start ?? -1;
            for (const byte of encoder.encode(decimal(each === 0 ? 0 : each)))
              if (state >= 0) state = machine!.step(state, byte);
            const accepted = state >= 0 && machine!.accepts(state);
            const fits = inside && (!whole || Number.isInteger(each));
            const isLong = (decimal(each).split(".")[1] ?? "").length > digitsAtMost.fraction;
            expect(accepted, `${each} in ${low}..${high}`).toBe(fits && !(isLong && !accepted));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("have no more digits than there is use for", () => {
    const accepted = (schema: JsonSchema, longest: (digits: number) => string) =>
      Array.from({ length: 400 }, (_, i) => i + 1).filter((digits) => accepts(schema, longest(digits)));
    const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
    for (const schema of [
      { type: "number" },
      { type: "integer" },
      { minimum: 1, maximum: 3 },
      { exclusiveMinimum: 0 },
      { const: 2 },
    ] as JsonSchema[]) {
      expect(accepted(schema, (digits) => `2.${"0".repeat(digits)}`)).toEqual(upTo(digitsAtMost.fraction));
    }
    for (const schema of [{ type: "number" }, { type: "integer" }, { minimum: 1 }] as JsonSchema[]) {
      expect(accepted(schema, (digits) => "9".repeat(digits))).toEqual(upTo(digitsAtMost.integer));
    }
    expect(accepted({ type: "number" }, (digits) => `2.${"5".repeat(digits)}e3`)).toEqual(upTo(digitsAtMost.fraction));
    expect(accepted({ const: 0.5 }, (digits) => `0.5${"0".repeat(digits)}`)).toEqual(upTo(digitsAtMost.fraction - 1));
  });

  test("that only more digits can tell have them", () => {
    expect(accepts({ minimum: 1e-30, maximum: 2e-30 }, decimal(1.5e-30).slice(0, 32))).toBe(true);
    expect(accepts({ minimum: 1e30 }, decimal(2e30))).toBe(true);
    expect(accepts({ const: 1e300 }, decimal(1e300))).toBe(true);
  });

  test("have a notation without exponents that gives the same double", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (each) => {
        expect(Number(decimal(each))).toBe(each === 0 ? 0 : each);
        expect(decimal(each)).toMatch(/^-?\d+(\.\d+)?$/);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a JSON Schema", () => {
  test.each<[string, JsonSchema, yes: string[], no: string[]]>([
    ["integers with a fraction of zeros", { type: "integer" }, ["1.0", "-3", "0"], ["01", "1.5", "1e2", "-"]],
    ["numbers with exponents", { type: "number" }, ["1e5", "-2.5E-3", "1e308"], ["1e309", ".5", "1."]],
    [
      "keys by any spelling, each named one once",
      { properties: { é: { type: "null" } }, additionalProperties: false, type: "object" },
      ['{"é":null}', '{"\\u00e9":null}', '{"\\u00E9":null}', "{}"],
      ['{"é":null,"\\u00e9":null}', '{"e":null}'],
    ],
    [
      "other keys that are different where their number counts",
      { type: "object", minProperties: 3, additionalProperties: { type: "null" } },
      ['{"a":null,"b":null,"c":null}', '{"a":null,"b":null,"c":null,"a":null}'],
      ['{"a":null,"b":null,"a":null}', '{"a":null,"b":null,"\\u0061":null}', '{"a":null,"b":null}'],
    ],
    [
      "no more members than fit beside the required ones",
      { type: "object", maxProperties: 2, required: ["x", "y"], additionalProperties: { type: "null" } },
      ['{"y":null,"x":null}'],
      ['{"a":null', '{"x":null}'],
    ],
    [
      "pattern and length together",
      { type: "string", pattern: "^a+b?$", maxLength: 3 },
      ['"aab"', '"a"'],
      ['"aaab"', '"b"'],
    ],
    [
      "values that everything else admits",
      { enum: [1, "aa", "b", null], minLength: 2, type: ["string", "null"] },
      ['"aa"', "null"],
      ['"b"', "1"],
    ],
    [
      "equal objects in any order",
      { const: { a: [1, { b: 2 }], c: {} } },
      ['{"c":{},"a":[1,{"b":2.0}]}'],
      ['{"a":[1,{"b":2}]}'],
    ],
    [
      "oneOf by a constant of a required member",
      {
        type: "object",
        oneOf: [
          {
            properties: { kind: { const: "a" }, x: { type: "null" } },
            required: ["kind", "x"],
            additionalProperties: false,
          },
          { properties: { kind: { enum: ["b", "c"] } }, required: ["kind"], additionalProperties: false },
        ],
      },
      ['{"x":null,"kind":"a"}', '{"kind":"c"}'],
      ['{"kind":"a"}', '{"kind":"b","x":null}'],
    ],
    [
      "schemas that contain themselves",
      { $ref: "#/$defs/tree", $defs: { tree: { type: "array", items: { $ref: "#/$defs/tree" }, maxItems: 2 } } },
      ["[]", "[[],[[]]]"],
      ["[[],[],[]]", "[1]"],
    ],
  ])("%s", (_, schema, yes, no) => {
    for (const text of yes) expect(accepts(schema, text), text).toBe(true);
    for (const text of no) expect(accepts(schema, text), text).toBe(false);
  });

  test("allows a little white space, or none", () => {
    const schema = { type: "array", items: { type: "null" } };
    expect(accepts(schema, " [\n  null, null\n]", "some")).toBe(true);
    expect(accepts(schema, "[  null]", "some")).toBe(false);
    expect(accepts(schema, "[null, null]", "none")).toBe(false);
  });

  test.each<[JsonSchema, string, string]>([
    [{ properties: { a: { uniqueItems: true } } }, "uniqueItems", "#/properties/a/uniqueItems"],
    [{ items: { "x/y": 1 } }, "x/y", "#/items/x~1y"],
    [{ anyOf: [{ type: "null" }, { not: {} }] }, "not", "#/anyOf/1/not"],
    [{ pattern: "(?=a)" }, "pattern", "#/pattern"],
    [{ oneOf: [{ type: "string" }, { minLength: 2 }] }, "oneOf", "#/oneOf"],
    [{ if: {}, else: {} }, "if", "#/if"],
  ])("%j is refused by keyword and place", (schema, keyword, pointer) => {
    const refusal = expect(() => compileConstraint({ jsonSchema: schema }));
    refusal.toThrow(UnsupportedKeywordError);
    refusal.toThrow(expect.objectContaining({ keyword, pointer }));
  });

  test.each<[JsonSchema]>([
    [false],
    [{ enum: [] }],
    [{ type: "string", minLength: 3, maxLength: 2 }],
    [{ type: "string", pattern: "^a$", minLength: 2 }],
    [{ type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 }],
    [{ type: "object", required: ["a"], properties: { a: false } }],
    [{ type: "object", required: ["a"], properties: { a: { $ref: "#" } } }],
    [{ type: "object", properties: { a: {} }, additionalProperties: false, minProperties: 2 }],
    [{ type: "array", minItems: 2, prefixItems: [{}], items: false }],
    [{ allOf: [{ type: "string" }, { type: "null" }] }],
  ])("%j admits nothing, and says so", (schema) => {
    expect(() => compileConstraint({ jsonSchema: schema })).toThrow(EmptyConstraintError);
  });

  test("what is no schema, leads nowhere or is too large is refused", () => {
    const compile = (schema: unknown) => () => compileConstraint({ jsonSchema: schema as JsonSchema });
    expect(compile([])).toThrow(InvalidSchemaError);
    expect(compile({ type: "text" })).toThrow(InvalidSchemaError);
    expect(compile({ minLength: -1 })).toThrow(InvalidSchemaError);
    expect(compile({ items: [{}] })).toThrow(InvalidSchemaError);
    expect(compile({ $ref: "#/$defs/none" })).toThrow(/leads nowhere/);
    expect(compile({ $ref: "https://example.com/schema" })).toThrow(/not fetched/);
    let deep: JsonSchema = {};
    for (let i = 0; i < 300; i++) deep = { items: deep };
    expect(compile(deep)).toThrow(ConstraintLimitError);
    const choice = { anyOf: Array.from({ length: 9 }, (_, i) => ({ minLength: i })) };
    expect(compile({ type: "string", allOf: Array.from({ length: 9 }, () => ({ ...choice })) })).toThrow(
      ConstraintLimitError,
    );
  });
});
