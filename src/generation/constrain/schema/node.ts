/** The subschemas of a JSON Schema and the references between them (draft 2020-12, core, §8 and §9). */
import { InvalidSchemaError, UnsupportedKeywordError } from "../errors.js";
import { holdLimit } from "../limits.js";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** A JSON Schema, draft 2020-12: what `JSON.parse` gives. */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown };

/** A subschema and where it stands. */
export interface SchemaNode {
  readonly id: number;
  readonly schema: boolean | SchemaObject;
  /** URI that references inside it are relative to. */
  readonly base: string;
  /** JSON pointer as a URI fragment: `#/properties/a`. */
  readonly pointer: string;
}

export type SchemaObject = { readonly [keyword: string]: Json };

/** URI of a schema that does not say its own. */
const ownUri = "schema:/root";

/** Keywords whose value is a subschema, a list of them, or subschemas by name. */
const single = ["additionalProperties", "items", "if", "then", "else", "not", "contains", "propertyNames"];
const lists = ["allOf", "anyOf", "oneOf", "prefixItems"];
const maps = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/** Finds subschemas by place and by reference. */
export class SchemaIndex {
  readonly root: SchemaNode;
  readonly #nodes = new Map<SchemaObject, SchemaNode>();
  /** Schemas by absolute URI, with `#name` for an anchor. */
  readonly #byUri = new Map<string, SchemaNode>();
  #count = 0;

  /** @throws InvalidSchemaError, ConstraintLimitError */
  constructor(schema: JsonSchema) {
    this.root = this.#enter(schema as Json, ownUri, "#", 0);
    this.#byUri.set(ownUri, this.root);
  }

  /** The subschema at a keyword, and below it by name or index. */
  child(node: SchemaNode, keyword: string, key?: string | number): SchemaNode {
    const value = (node.schema as SchemaObject)[keyword];
    const path = [keyword, ...(key === undefined ? [] : [String(key)])];
    const schema = key === undefined ? value : (value as { [key: string]: Json })[key];
    return this.#node(schema, node.base, pointerTo(node.pointer, ...path));
  }

  /** A schema that stands nowhere in the document, made up in the place of a keyword. */
  made(schema: SchemaObject, at: SchemaNode): SchemaNode {
    return this.#node(schema as Json, at.base, at.pointer);
  }

  /** What the reference at `node` leads to. @throws InvalidSchemaError where it leads nowhere */
  resolve(node: SchemaNode, reference: string): SchemaNode {
    const pointer = pointerTo(node.pointer, "$ref");
    const uri = absolute(reference, node.base);
    if (uri === undefined) throw new InvalidSchemaError(pointer, `${JSON.stringify(reference)} is no URI reference`);
    const hash = uri.indexOf("#");
    const document = hash < 0 ? uri : uri.slice(0, hash);
    const fragment = hash < 0 ? "" : decodeFragment(uri.slice(hash + 1));
    const known = this.#byUri.get(fragment === "" || fragment.startsWith("/") ? document : `${document}#${fragment}`);
    const target = known !== undefined && fragment.startsWith("/") ? this.#follow(known, fragment) : known;
    if (target !== undefined) return target;
    const problem = `${JSON.stringify(reference)} leads nowhere; documents other than the schema itself are not fetched`;
    throw new InvalidSchemaError(pointer, problem);
  }

  #follow(from: SchemaNode, fragment: string): SchemaNode | undefined {
    let value: Json | undefined = from.schema as Json;
    let { base, pointer } = from;
    for (const token of fragment.slice(1).split("/")) {
      const key = token.replaceAll("~1", "/").replaceAll("~0", "~");
      if (value === null || typeof value !== "object" || !Object.hasOwn(value, key)) return undefined;
      value = (value as { [key: string]: Json })[key];
      pointer = pointerTo(pointer, key);
      base = baseOf(value, base);
    }
    return isSchema(value) ? this.#node(value, base, pointer) : undefined;
  }

  /** Takes in a subschema and all below it. */
  #enter(schema: Json, outer: string, pointer: string, depth: number): SchemaNode {
    holdLimit("nesting", depth);
    const node = this.#node(schema, baseOf(schema, outer), pointer);
    if (typeof node.schema === "boolean") return node;
    const { schema: keywords, base } = node;
    if (typeof keywords.$id === "string") this.#byUri.set(base, node);
    for (const name of ["$anchor", "$dynamicAnchor"]) {
      if (typeof keywords[name] === "string") this.#byUri.set(`${base}#${keywords[name]}`, node);
    }
    const enter = (value: Json, ...path: string[]) => this.#enter(value, base, pointerTo(pointer, ...path), depth + 1);
    for (const name of single) if (isSchema(keywords[name])) enter(keywords[name], name);
    for (const name of [...lists, ...maps]) {
      const value = keywords[name];
      if (value === undefined || typeof value !== "object" || value === null) continue;
      for (const [key, each] of Object.entries(value)) if (isSchema(each)) enter(each, name, key);
    }
    return node;
  }

  #node(schema: Json | undefined, base: string, pointer: string): SchemaNode {
    if (!isSchema(schema)) throw new InvalidSchemaError(pointer, "a schema must be an object, true or false");
    if (typeof schema === "boolean") return { id: schema ? -1 : -2, schema, base, pointer };
    let node = this.#nodes.get(schema);
    if (node === undefined) {
      node = { id: this.#count++, schema, base, pointer };
      this.#nodes.set(schema, node);
    }
    return node;
  }
}

export function isSchema(value: Json | undefined): value is boolean | SchemaObject {
  return typeof value === "boolean" || (typeof value === "object" && value !== null && !Array.isArray(value));
}

function baseOf(schema: Json, outer: string): string {
  const id = isSchema(schema) && typeof schema === "object" ? schema.$id : undefined;
  if (typeof id !== "string") return outer;
  return absolute(id, outer)?.replace(/#$/, "") ?? outer;
}

function absolute(reference: string, base: string): string | undefined {
  // A name such as `urn:example:1` has no path that a fragment could not be put behind.
  if (reference.startsWith("#")) return base + reference;
  try {
    return new URL(reference, base).href;
  } catch {
    return undefined;
  }
}

function decodeFragment(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** A JSON pointer, some steps further (RFC 6901). */
export function pointerTo(pointer: string, ...path: readonly string[]): string {
  return [pointer, ...path.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1"))].join("/");
}

/** Keywords that constrain and are followed. */
const supported = [
  ...["$ref", "type", "enum", "const", "allOf", "anyOf", "oneOf", "minLength", "maxLength", "pattern"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "prefixItems", "items", "minItems", "maxItems"],
  ...["properties", "patternProperties", "additionalProperties", "required", "minProperties", "maxProperties"],
];
/** Keywords that constrain nothing. `format` is one: draft 2020-12 has it as an annotation. */
const annotations = [
  ...["$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "definitions", "$comment", "$vocabulary", "title"],
  ...["description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "contentEncoding"],
  ...["contentMediaType", "contentSchema"],
];
const known = new Set([...supported, ...annotations]);
/** Keywords that say nothing unless another stands beside them, or have a value that says nothing. */
const idle: Readonly<Record<string, (schema: SchemaObject) => boolean>> = {
  if: (schema) => schema.then === undefined && schema.else === undefined,
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: (schema) => schema.if === undefined,
  else: (schema) => schema.if === undefined,
  minContains: (schema) => schema.contains === undefined,
  maxContains: (schema) => schema.contains === undefined,
  uniqueItems: (schema) => schema.uniqueItems === false,
};

/** @throws UnsupportedKeywordError for a keyword that would have to be followed and is not */
export function checkKeywords({ schema, pointer }: SchemaNode): void {
  if (typeof schema === "boolean") return;
  for (const keyword of Object.keys(schema)) {
    if (known.has(keyword) || idle[keyword]?.(schema)) continue;
    throw new UnsupportedKeywordError(keyword, pointerTo(pointer, keyword));
  }
}
