/**
 * Kinds of values that a configuration holds. Each says in words what it allows, and reads a value that a person
 * wrote: what it gives back is checked, and has every default filled in.
 */
import { HithertoError } from "../../core/errors.js";
import { nearestWord } from "./nearest.js";

/** A configuration says something that it may not. */
export class ConfigError extends HithertoError {
  readonly code = "INVALID_CONFIG";

  constructor(
    /** Path of the key, such as `"optimizer.learningRate"`; empty for the whole. */
    readonly key: string,
    readonly problem: string,
    /** The file that says it, where there is one. */
    readonly file?: string,
  ) {
    super([file, key, problem].filter((part) => part !== undefined && part !== "").join(": "));
  }

  /** The same, told of `file`. */
  in(file: string): ConfigError {
    return new ConfigError(this.key, this.problem, file);
  }
}

/** A kind of value: read from an `Input` as people write it to an `Output` that programs use. */
export interface Kind<Output, Input = Output> {
  /** What it must be, in words. */
  readonly allowed: string;
  /** @param key - path of the key, for errors. @throws ConfigError */
  read(value: unknown, key: string): Output;
  /** Keys below this one, where it is a group or a choice of groups. */
  readonly groups?: readonly Group[];
  /** Never there at run time: keeps the type that people write. */
  readonly written?: Input;
}

/** The keys of an object, or of one of several that a `kind` tells apart. */
export interface Group {
  /** The value of `kind` that chooses it. */
  readonly choice?: string;
  readonly doc: string;
  readonly fields: Fields;
}

/** One key: its kind, what it does (with its unit), and what it is when absent. */
export interface Field<Output, Input, Presence extends "required" | "optional"> {
  readonly kind: Kind<Output, Input>;
  readonly doc: string;
  readonly presence: Presence;
  /** The value that stands in for an absent one; undefined where `absent` says what happens instead. */
  readonly default?: Input;
  /** What an absent key means, in words. */
  readonly absent: string;
}

// biome-ignore lint/suspicious/noExplicitAny: any field may stand here; each keeps its own types
export type Fields = Readonly<Record<string, Field<any, any, any>>>;

export type OutputOf<F extends Fields> = {
  readonly [Key in keyof F]: F[Key] extends Field<infer Output, infer _, infer __> ? Output : never;
};
type Written<F> = F extends Field<infer _, infer Input, infer __> ? Input : never;
type RequiredKeys<F extends Fields> = {
  [Key in keyof F]: F[Key]["presence"] extends "required" ? Key : never;
}[keyof F];
export type InputOf<F extends Fields> = { readonly [Key in RequiredKeys<F>]: Written<F[Key]> } & {
  readonly [Key in Exclude<keyof F, RequiredKeys<F>>]?: Written<F[Key]>;
};

/** A key that must be there. */
export function required<O, I>(kind: Kind<O, I>, doc: string): Field<O, I, "required"> {
  return { kind, doc, presence: "required", absent: "required" };
}

/** A key with a value that stands in for it. `absent` says it in words where its JSON text would not be clear. */
export function withDefault<O, I>(kind: Kind<O, I>, value: I, doc: string, absent?: string): Field<O, I, "optional"> {
  return { kind, doc, presence: "optional", default: value, absent: absent ?? JSON.stringify(value) };
}

/** A key that may be absent; `absent` says what that means. */
export function optional<O, I>(
  kind: Kind<O, I>,
  absent: string,
  doc: string,
): Field<O | undefined, I | undefined, "optional"> {
  return { kind, doc, presence: "optional", absent };
}

/** Checks one value: gives it back where it `isAllowed`. */
function plain<T>(allowed: string, isAllowed: (value: unknown) => boolean): Kind<T> {
  return {
    allowed,
    read(value, key) {
      if (!isAllowed(value)) throw new ConfigError(key, `must be ${allowed}, got ${shown(value)}`);
      return value as T;
    },
  };
}

export const text: Kind<string> = plain("a text", (value) => typeof value === "string" && value !== "");
export const anyText: Kind<string> = plain("a text", (value) => typeof value === "string");
export const flag: Kind<boolean> = plain("true or false", (value) => typeof value === "boolean");

/** A path; which folder it is read from is for the one who opens it. */
export const path: Kind<string> = plain("a path", (value) => typeof value === "string" && value !== "");

/** Finite numbers that `isAllowed`; `allowed` says in words which those are. */
export function number(allowed: string, isAllowed: (value: number) => boolean): Kind<number> {
  return plain(`a number ${allowed}`, (value) => Number.isFinite(value) && isAllowed(value as number));
}

export const positive = number("above 0", (value) => value > 0);
export const notNegative = number("from 0 on", (value) => value >= 0);
/** Numbers in [0, 1). */
export const fraction = number("from 0 to below 1", (value) => value >= 0 && value < 1);

/** Whole numbers in [from, to]. */
export function whole(from: number, to = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = to === Number.MAX_SAFE_INTEGER ? `from ${from} on` : `from ${from} to ${to}`;
  return plain(`a whole number ${range}`, (value) => {
    return Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to;
  });
}

export function oneOf<const T extends string>(choices: readonly T[]): Kind<T> {
  const allowed = `one of ${choices.join(", ")}`;
  return {
    allowed,
    read(value, key) {
      const choice = choices.find((each) => each === value);
      if (choice !== undefined) return choice;
      const meant = typeof value === "string" ? hint(nearestWord(value, choices)) : "";
      throw new ConfigError(key, `must be ${allowed}, got ${shown(value)}${meant}`);
    },
  };
}

/** Several of one kind; a single one may stand without brackets. */
export function listOf<O, I>(kind: Kind<O, I>): Kind<readonly O[], I | readonly I[]> {
  return {
    allowed: `${kind.allowed}, or a list of them`,
    read(value, key) {
      if (!Array.isArray(value)) return [kind.read(value, key)];
      return value.map((item, index) => kind.read(item, `${key}[${index}]`));
    },
  };
}

/** An object whose keys are not ours to check. */
export const foreignObject: Kind<Readonly<Record<string, unknown>>> = plain("an object", isObject);

/** An object with these keys and no others. */
export function group<F extends Fields>(fields: F, doc = ""): Kind<OutputOf<F>, InputOf<F>> {
  return {
    allowed: "an object",
    groups: [{ doc, fields }],
    read(value, key) {
      return readFields(fields, value, key) as OutputOf<F>;
    },
  };
}

/** An object with exactly one of these keys. */
export function exactlyOne<F extends Fields>(fields: F): Kind<OutputOf<F>, InputOf<F>> {
  const any = group(fields);
  const names = Object.keys(fields).join(", ");
  return {
    ...any,
    allowed: `an object with one of ${names}`,
    read(value, key) {
      const read = any.read(value, key);
      const count = Object.keys(read).length;
      if (count !== 1) throw new ConfigError(key, `must have exactly one of ${names}, got ${count} of them`);
      return read;
    },
  };
}

/** One of two kinds: `objects` for objects, `plain` for everything else. */
export function objectOr<A, B, I, J>(plain: Kind<A, I>, objects: Kind<B, J>): Kind<A | B, I | J> {
  return {
    allowed: `${plain.allowed}; or ${objects.allowed}`,
    groups: objects.groups,
    read: (value, key) => (isObject(value) ? objects.read(value, key) : plain.read(value, key)),
  };
}

type Choices = Readonly<Record<string, { readonly doc: string; readonly fields: Fields }>>;
type ChoiceOutput<C extends Choices> = {
  [Name in keyof C]: { readonly kind: Name } & OutputOf<C[Name]["fields"]>;
}[keyof C];
type ChoiceInput<C extends Choices, Usual> = {
  [Name in keyof C]: (Name extends Usual ? { readonly kind?: Name } : { readonly kind: Name }) &
    InputOf<C[Name]["fields"]>;
}[keyof C];

/**
 * An object whose `kind` says which other keys it has.
 * @param usual - the kind of one that does not say
 */
export function choice<C extends Choices, Usual extends keyof C & string = never>(
  choices: C,
  usual?: Usual,
): Kind<ChoiceOutput<C>, ChoiceInput<C, Usual>> {
  const names = oneOf(Object.keys(choices));
  const groups = Object.entries(choices).map(([name, { doc, fields }]) => ({
    choice: name,
    doc: name === usual ? `${doc}; the usual kind, which need not be said` : doc,
    fields,
  }));
  return {
    allowed: `an object whose kind is ${names.allowed}`,
    groups,
    read(value, key) {
      const object = objectOf(value, key);
      const named = object.kind ?? usual;
      if (named === undefined) throw new ConfigError(join(key, "kind"), `is required: ${names.allowed}`);
      const kind = names.read(named, join(key, "kind"));
      const { kind: _, ...others } = object;
      const read = readFields(choices[kind].fields, others, key, `where kind is ${JSON.stringify(kind)}`);
      return { kind, ...read } as ChoiceOutput<C>;
    },
  };
}

function readFields(fields: Fields, value: unknown, key: string, circumstance = ""): Record<string, unknown> {
  const object = objectOf(value, key);
  for (const name of Object.keys(object)) if (!Object.hasOwn(fields, name)) refuse(name, fields, key, circumstance);
  const entries = Object.entries(fields).map(([name, field]) => {
    const at = join(key, name);
    const given = object[name] ?? field.default;
    if (given !== undefined) return [name, field.kind.read(given, at)];
    if (field.presence === "required") throw new ConfigError(at, `is required: ${field.kind.allowed}`);
    return [name, undefined];
  });
  return Object.fromEntries(entries.filter(([, read]) => read !== undefined));
}

function refuse(name: string, fields: Fields, key: string, circumstance: string): never {
  const known = Object.keys(fields);
  const where = circumstance === "" ? "" : ` ${circumstance}`;
  const allowed = known.length > 0 ? `known here: ${known.join(", ")}` : "no other key is known here";
  throw new ConfigError(join(key, name), `unknown key${where}${hint(nearestWord(name, known))}; ${allowed}`);
}

function objectOf(value: unknown, key: string): Record<string, unknown> {
  if (!isObject(value)) throw new ConfigError(key, `must be an object, got ${shown(value)}`);
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function hint(meant: string | undefined): string {
  return meant === undefined ? "" : `; did you mean ${JSON.stringify(meant)}?`;
}

function join(key: string, name: string): string {
  return key === "" ? name : `${key}.${name}`;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "function") return "a function";
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 60)}…` : json;
}
