/**
 * JSON Schemas (draft 2020-12) as terms.
 *
 * A place in a document is governed by the list of all subschemas that apply to it; each such list becomes one rule,
 * so references may lead back to where they came from. A rule has alternatives for each type that all of the list
 * admit, and for each way through their `anyOf`s.
 */
import { InvalidSchemaError } from "../errors.js";
import { holdLimit } from "../limits.js";
import type { Factor } from "../regular/combine.js";
import type { Machine } from "../regular/machine.js";
import { MachineTerm, RuleTerm, settle, type Term } from "../term.js";
import { Alternatives, type Way } from "./alternatives.js";
import { arrayOptions } from "./array-term.js";
import { counts, numbers, types } from "./facts.js";
import {
  isSchema,
  type Json,
  type JsonSchema,
  pointerTo,
  SchemaIndex,
  type SchemaNode,
  type SchemaObject,
} from "./node.js";
import { literalNumbers, numberMachine, rangeOf } from "./number.js";
import { type NamedMember, type OtherMembers, objectOptions } from "./object-term.js";
import { Punctuation, quoted, type Whitespace, word } from "./punctuation.js";
import { acceptsText, anyText, combined, listed, Patterns, textMachine } from "./text.js";

/**
 * @returns the documents that a schema admits
 * @throws UnsupportedKeywordError, InvalidSchemaError, ConstraintLimitError
 */
export function compileSchema(schema: JsonSchema, whitespace: Whitespace): Term {
  return new SchemaCompiler(schema, whitespace).compile();
}

class SchemaCompiler {
  readonly #index: SchemaIndex;
  readonly #alternatives: Alternatives;
  readonly #punctuation: Punctuation;
  readonly #patterns = new Patterns();
  readonly #rules = new Map<string, RuleTerm>();
  /** Rules that are not defined yet. */
  readonly #waiting: { readonly rule: RuleTerm; readonly nodes: readonly SchemaNode[] }[] = [];

  constructor(schema: JsonSchema, whitespace: Whitespace) {
    this.#index = new SchemaIndex(schema);
    this.#alternatives = new Alternatives(this.#index);
    this.#punctuation = Punctuation.of(whitespace);
  }

  compile(): Term {
    const value = this.#rule([this.#index.root]);
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      next.rule.define(this.#options(next.nodes));
    }
    const root = new RuleTerm("document");
    root.define([[this.#punctuation.space, value]]);
    settle([...this.#rules.values(), root]);
    return root;
  }

  /** The rule for values to which all of `nodes` apply. */
  #rule(nodes: readonly SchemaNode[]): RuleTerm {
    const byId = new Map(nodes.filter(({ schema }) => schema !== true).map((node) => [node.id, node]));
    const key = [...byId.keys()].sort((a, b) => a - b).join(",");
    let rule = this.#rules.get(key);
    if (rule === undefined) {
      rule = new RuleTerm(nodes.map(({ pointer }) => pointer).join(" "));
      this.#rules.set(key, rule);
      holdLimit("rules", this.#rules.size);
      this.#waiting.push({ rule, nodes: [...byId.values()] });
    }
    return rule;
  }

  #options(nodes: readonly SchemaNode[]): (readonly Term[])[] {
    return types.flatMap((type) => this.#alternatives.of(nodes, type).flatMap((way) => this.#optionsOf(way)));
  }

  #optionsOf(way: Way): readonly (readonly Term[])[] {
    switch (way.type) {
      case "null":
        return [[word("null")]];
      case "boolean":
        return [true, false]
          .filter((value) => way.values?.includes(value) !== false)
          .map((value) => [word(value ? "true" : "false")]);
      case "number":
        return machines(this.#number(way));
      case "string":
        return this.#string(way);
      case "array":
        return this.#array(way);
      case "object":
        return this.#object(way);
    }
  }

  #number({ nodes, values, whole }: Way): Machine | undefined {
    const bounds = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"].map((name) => numbers(nodes, name));
    const range = rangeOf(bounds[0], bounds[1], bounds[2], bounds[3], whole);
    if (values === undefined) return numberMachine(range);
    const fits = (value: number) => value >= range.low && value <= range.high && (!whole || Number.isInteger(value));
    return literalNumbers((values as readonly number[]).filter(fits));
  }

  #string({ nodes, values }: Way): readonly (readonly Term[])[] {
    const patterns = nodes.flatMap((node) => {
      const { pattern } = node.schema as SchemaObject;
      if (pattern === undefined) return [];
      const pointer = pointerTo(node.pointer, "pattern");
      if (typeof pattern !== "string") throw new InvalidSchemaError(pointer, "no text");
      return [this.#patterns.machine(pattern, "pattern", pointer)];
    });
    const min = counts(nodes, "minLength", 0);
    const max = counts(nodes, "maxLength", Number.POSITIVE_INFINITY);
    const content = textMachine({ min, max, patterns, values: values as readonly string[] | undefined });
    return content === undefined ? [] : [[quoted(content)]];
  }

  #array({ nodes }: Way): readonly (readonly Term[])[] {
    const prefixes = nodes.map((node) => {
      const { prefixItems } = node.schema as SchemaObject;
      if (prefixItems === undefined) return 0;
      if (Array.isArray(prefixItems)) return prefixItems.length;
      throw new InvalidSchemaError(pointerTo(node.pointer, "prefixItems"), "no list");
    });
    const at = (index: number) =>
      this.#rule(
        nodes.flatMap((node, i) => {
          if (index < prefixes[i]) return [this.#index.child(node, "prefixItems", index)];
          return (node.schema as SchemaObject).items === undefined ? [] : [this.#index.child(node, "items")];
        }),
      );
    const longest = Math.max(0, ...prefixes);
    const min = counts(nodes, "minItems", 0);
    const max = counts(nodes, "maxItems", Number.POSITIVE_INFINITY);
    if (min > max) return [];
    const first = Array.from({ length: longest }, (_, index) => at(index));
    return arrayOptions({ punctuation: this.#punctuation, first, rest: at(longest), min, max });
  }

  #object({ nodes }: Way): readonly (readonly Term[])[] {
    const min = counts(nodes, "minProperties", 0);
    const max = counts(nodes, "maxProperties", Number.POSITIVE_INFINITY);
    const required = new Set(nodes.flatMap(requiredKeys));
    const names = [...new Set([...nodes.flatMap((node) => Object.keys(objectAt(node, "properties"))), ...required])];
    if (min > max || required.size > max) return [];
    const patterns = this.#keyPatterns(nodes);
    const named = names.map((name): NamedMember => {
      const matching = new Set(
        patterns.filter(({ machine }) => acceptsText(machine, name)).map(({ source }) => source),
      );
      const value = this.#rule(nodes.flatMap((node) => this.#membersSchemas(node, name, matching)));
      return { key: quoted(listed([name])), value, required: required.has(name) };
    });
    const others = this.#otherMembers(nodes, names, patterns);
    return objectOptions({ punctuation: this.#punctuation, named, others, min, max });
  }

  /** Members with other than the named keys: one kind for each set of patterns that a key can match. */
  #otherMembers(
    nodes: readonly SchemaNode[],
    names: readonly string[],
    patterns: readonly KeyPattern[],
  ): OtherMembers[] {
    holdLimit("alternatives", 2 ** patterns.length);
    const kinds: OtherMembers[] = [];
    for (let set = 0; set < 2 ** patterns.length; set++) {
      const isIn = (index: number) => ((set >> index) & 1) === 1;
      const matching = new Set(patterns.filter((_, i) => isIn(i)).map(({ source }) => source));
      const schemas = nodes.flatMap((node) => this.#membersSchemas(node, undefined, matching));
      if (schemas.some(({ schema }) => schema === false)) continue;
      const factors: Factor[] = [{ machine: anyText, negated: false }];
      if (names.length > 0) factors.push({ machine: listed(names), negated: true });
      for (const [i, { machine }] of patterns.entries()) factors.push({ machine, negated: !isIn(i) });
      const keys = factors.length === 1 ? anyText : combined(factors);
      if (keys !== undefined) kinds.push({ keys, value: this.#rule(schemas) });
    }
    return kinds;
  }

  /** What one schema says about a member; without a name, about one that `properties` does not name. */
  #membersSchemas(node: SchemaNode, name: string | undefined, matching: ReadonlySet<string>): SchemaNode[] {
    const found: SchemaNode[] = [];
    if (name !== undefined && Object.hasOwn(objectAt(node, "properties"), name)) {
      found.push(this.#index.child(node, "properties", name));
    }
    for (const source of Object.keys(objectAt(node, "patternProperties"))) {
      if (matching.has(source)) found.push(this.#index.child(node, "patternProperties", source));
    }
    const additional = (node.schema as SchemaObject).additionalProperties !== undefined;
    return found.length === 0 && additional ? [this.#index.child(node, "additionalProperties")] : found;
  }

  #keyPatterns(nodes: readonly SchemaNode[]): KeyPattern[] {
    const found = new Map<string, KeyPattern>();
    for (const node of nodes) {
      for (const source of Object.keys(objectAt(node, "patternProperties"))) {
        const pointer = pointerTo(node.pointer, "patternProperties", source);
        found.set(source, { source, machine: this.#patterns.machine(source, "patternProperties", pointer) });
      }
    }
    return [...found.values()];
  }
}

interface KeyPattern {
  readonly source: string;
  readonly machine: Machine;
}

function machines(machine: Machine | undefined): (readonly Term[])[] {
  return machine === undefined ? [] : [[new MachineTerm(machine)]];
}

function objectAt(node: SchemaNode, keyword: string): { readonly [key: string]: Json } {
  const value = (node.schema as SchemaObject)[keyword] ?? {};
  if (isSchema(value) && typeof value === "object") return value;
  throw new InvalidSchemaError(pointerTo(node.pointer, keyword), "no object");
}

function requiredKeys(node: SchemaNode): readonly string[] {
  const { required = [] } = node.schema as SchemaObject;
  if (Array.isArray(required) && required.every((key) => typeof key === "string")) return required;
  throw new InvalidSchemaError(pointerTo(node.pointer, "required"), "no list of texts");
}
