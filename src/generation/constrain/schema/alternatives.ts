/**
 * The ways in which a value of one type can satisfy a list of subschemas: references and `allOf` add to the list,
 * `anyOf` goes several ways. What is left of each way is the keywords that concern the type.
 */
import { InvalidSchemaError, UnsupportedKeywordError } from "../errors.js";
import { holdLimit } from "../limits.js";
import { admits, equal, keywordsOf, literalsOf, type Type } from "./facts.js";
import { checkKeywords, type Json, pointerTo, type SchemaIndex, type SchemaNode, type SchemaObject } from "./node.js";

export interface Way {
  readonly type: Type;
  /** Subschemas with keywords that concern the type; all of them hold. */
  readonly nodes: readonly SchemaNode[];
  /** What the value has to be one of: texts, numbers, booleans. Arrays and objects become schemas instead. */
  readonly values: readonly Json[] | undefined;
  /** Numbers: whole ones only. */
  readonly whole: boolean;
}

/** A way that has not been gone to its end. */
interface Path {
  readonly pending: SchemaNode[];
  readonly seen: Set<number>;
  readonly nodes: SchemaNode[];
  values: readonly Json[] | undefined;
  whole: boolean;
  /** Lists of which one each has to hold. */
  readonly choices: (readonly SchemaNode[])[];
}

export class Alternatives {
  /** Arrays and objects of `const` and `enum`, as schemas. */
  readonly #exact = new Map<Json, SchemaNode>();

  constructor(readonly index: SchemaIndex) {}

  /** @throws UnsupportedKeywordError, InvalidSchemaError, ConstraintLimitError */
  of(nodes: readonly SchemaNode[], type: Type): Way[] {
    const ways = new Map<string, Way>();
    const paths: Path[] = [
      { pending: [...nodes], seen: new Set(), nodes: [], values: undefined, whole: false, choices: [] },
    ];
    let made = 1;
    for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
      if (!this.#follow(path, type)) continue;
      const choice = path.choices.shift();
      if (choice !== undefined) {
        for (const option of choice) paths.push(branch(path, option));
        made += choice.length;
        holdLimit("alternatives", made);
        continue;
      }
      const way = wayOf(path, type);
      ways.set(keyOf(way), way);
    }
    return [...ways.values()];
  }

  /** Goes on until a choice or the end; false where nothing of the type is possible. */
  #follow(path: Path, type: Type): boolean {
    for (let node = path.pending.pop(); node !== undefined; node = path.pending.pop()) {
      if (node.schema === false) return false;
      if (node.schema === true || path.seen.has(node.id)) continue;
      path.seen.add(node.id);
      checkKeywords(node);
      const admitted = admits(node, type);
      if (!admitted.admits) return false;
      path.whole ||= admitted.whole;
      path.nodes.push(node);
      if (!this.#literals(path, node, type)) return false;
      this.#applicators(path, node, type);
    }
    return true;
  }

  #applicators(path: Path, node: SchemaNode, type: Type): void {
    const { $ref: reference } = node.schema as SchemaObject;
    if (reference !== undefined) {
      if (typeof reference !== "string") throw new InvalidSchemaError(pointerTo(node.pointer, "$ref"), "no text");
      path.pending.push(this.index.resolve(node, reference));
    }
    path.pending.push(...this.#list(node, "allOf"));
    if (has(node, "anyOf")) path.choices.push(this.#list(node, "anyOf"));
    if (has(node, "oneOf")) path.choices.push(this.#exclusive(node, type));
  }

  /** The values of `const` and `enum`; false where none is left. */
  #literals(path: Path, node: SchemaNode, type: Type): boolean {
    const literals = literalsOf(node, type);
    if (literals === undefined) return true;
    if (type === "array" || type === "object") {
      path.choices.push(literals.map((value) => this.#exactly(value, node)));
      return true;
    }
    const { values } = path;
    path.values =
      values === undefined ? literals : literals.filter((value) => values.some((other) => equal(value, other)));
    return path.values.length > 0;
  }

  /** A schema that an array or object alone satisfies. */
  #exactly(value: Json, at: SchemaNode): SchemaNode {
    let node = this.#exact.get(value);
    if (node === undefined) {
      node = this.index.made(exactSchema(value), at);
      this.#exact.set(value, node);
    }
    return node;
  }

  #list(node: SchemaNode, keyword: string): SchemaNode[] {
    const value = (node.schema as SchemaObject)[keyword];
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw new InvalidSchemaError(pointerTo(node.pointer, keyword), "no list");
    return value.map((_, i) => this.index.child(node, keyword, i));
  }

  /** The schemas of `oneOf` that values of a type can satisfy, as long as no value can satisfy two. */
  #exclusive(node: SchemaNode, type: Type): SchemaNode[] {
    const options = this.#list(node, "oneOf").filter((option) => this.of([option], type).length > 0);
    for (const [i, one] of options.entries()) {
      for (const other of options.slice(i + 1)) {
        if (this.#areDisjoint(one, other, type)) continue;
        const reason = "is supported only where its schemas differ by type or by the constants of a required member";
        throw new UnsupportedKeywordError("oneOf", pointerTo(node.pointer, "oneOf"), reason);
      }
    }
    return options;
  }

  #areDisjoint(one: SchemaNode, other: SchemaNode, type: Type): boolean {
    return this.of([one], type).every((a) => this.of([other], type).every((b) => this.#differ(a, b)));
  }

  #differ(a: Way, b: Way): boolean {
    if (a.values !== undefined && b.values !== undefined) return disjoint(a.values, b.values);
    if (a.type !== "object") return false;
    const [left, right] = [this.#constants(a), this.#constants(b)];
    return [...left].some(([key, values]) => right.has(key) && disjoint(values, right.get(key)!));
  }

  /** Values that required members can have, where those are listed. */
  #constants({ nodes }: Way): Map<string, readonly Json[]> {
    const found = new Map<string, readonly Json[]>();
    const required = new Set(
      nodes.flatMap(({ schema }) => ((schema as SchemaObject).required ?? []) as readonly string[]),
    );
    for (const { schema } of nodes) {
      const properties = ((schema as SchemaObject).properties ?? {}) as { readonly [key: string]: Json };
      for (const [key, member] of Object.entries(properties)) {
        if (!required.has(key) || typeof member !== "object" || member === null) continue;
        const { const: constant, enum: list } = member as SchemaObject;
        if (constant !== undefined) found.set(key, [constant]);
        else if (Array.isArray(list)) found.set(key, list);
      }
    }
    return found;
  }
}

function has(node: SchemaNode, keyword: string): boolean {
  return (node.schema as SchemaObject)[keyword] !== undefined;
}

function disjoint(a: readonly Json[], b: readonly Json[]): boolean {
  return a.every((value) => !b.some((other) => equal(value, other)));
}

function branch(path: Path, option: SchemaNode): Path {
  return {
    ...path,
    pending: [option],
    seen: new Set(path.seen),
    nodes: [...path.nodes],
    choices: [...path.choices],
  };
}

function wayOf({ nodes, values, whole }: Path, type: Type): Way {
  const concerned = nodes.filter((node) => keywordsOf[type].some((keyword) => has(node, keyword)));
  return { type, nodes: concerned, values, whole };
}

function keyOf({ nodes, values, whole }: Way): string {
  return JSON.stringify([nodes.map(({ id }) => id).sort((a, b) => a - b), values ?? null, whole]);
}

function exactSchema(value: Json): SchemaObject {
  if (Array.isArray(value)) {
    return { prefixItems: value.map((each: Json) => ({ const: each })), items: false, minItems: value.length };
  }
  const entries = Object.entries(value as { [key: string]: Json });
  // Not by assignment: a member may be called `__proto__`.
  const properties = Object.fromEntries(entries.map(([key, each]) => [key, { const: each }]));
  return { properties, additionalProperties: false, required: entries.map(([key]) => key) };
}
