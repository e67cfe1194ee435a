/** What a list of subschemas, all of which hold, says about values of one type. */
import { InvalidSchemaError } from "../errors.js";
import { type Json, pointerTo, type SchemaNode, type SchemaObject } from "./node.js";

export const types = ["null", "boolean", "number", "string", "array", "object"] as const;
export type Type = (typeof types)[number];

/** The keywords that concern each type; `type`, `const` and `enum` concern all. */
export const keywordsOf: Readonly<Record<Type, readonly string[]>> = {
  null: [],
  boolean: [],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"],
  string: ["minLength", "maxLength", "pattern"],
  array: ["prefixItems", "items", "minItems", "maxItems"],
  object: ["properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties"],
};

export function typeOf(value: Json): Type {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value as Type;
}

/** Whether values of a type pass the `type` of a schema; for numbers, whether only whole ones do. */
export function admits({ schema, pointer }: SchemaNode, type: Type): { admits: boolean; whole: boolean } {
  const given = (schema as SchemaObject).type;
  if (given === undefined) return { admits: true, whole: false };
  const names = Array.isArray(given) ? given : [given];
  for (const name of names) {
    if (![...types, "integer"].includes(name as Type)) {
      throw new InvalidSchemaError(pointerTo(pointer, "type"), `no type ${JSON.stringify(name)}`);
    }
  }
  const whole = type === "number" && !names.includes("number");
  return { admits: names.includes(type) || (whole && names.includes("integer")), whole };
}

/** The values of `enum` and `const`, of one type; undefined where a schema has neither. */
export function literalsOf({ schema, pointer }: SchemaNode, type: Type): readonly Json[] | undefined {
  const { const: constant, enum: list } = schema as SchemaObject;
  if (list !== undefined && !Array.isArray(list)) throw new InvalidSchemaError(pointerTo(pointer, "enum"), "no list");
  const inEnum = list?.filter((value: Json) => typeOf(value) === type);
  if (constant === undefined) return inEnum;
  if (typeOf(constant) !== type) return [];
  return inEnum === undefined || inEnum.some((value: Json) => equal(value, constant)) ? [constant] : [];
}

/** Equality of JSON values: numbers by value, objects whatever the order of their members. */
export function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as { [key: string]: Json }, b as { [key: string]: Json }];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}

/** The largest of a keyword's values, which are numbers from 0 on; `none` where nobody has it. */
export function counts(nodes: readonly SchemaNode[], keyword: string, none: number): number {
  const values = numbers(nodes, keyword, true);
  if (values.length === 0) return none;
  return keyword.startsWith("max") ? Math.min(...values) : Math.max(...values);
}

/** The values of a numeric keyword. @throws InvalidSchemaError */
export function numbers(nodes: readonly SchemaNode[], keyword: string, counting = false): number[] {
  const values: number[] = [];
  for (const { schema, pointer } of nodes) {
    const value = (schema as SchemaObject)[keyword];
    if (value === undefined) continue;
    if (typeof value !== "number" || (counting && !(Number.isInteger(value) && value >= 0))) {
      throw new InvalidSchemaError(pointerTo(pointer, keyword), counting ? "no whole number from 0 on" : "no number");
    }
    values.push(value);
  }
  return values;
}
