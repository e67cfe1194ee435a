/** The flags that say what a completion has to be: a JSON document, a match, one of a few texts, a sentence of a grammar. */
import { readFileSync } from "node:fs";
import { Option } from "commander";
import { FileNotFoundError } from "../core/errors.js";
import type { Constraint } from "../generation/constrain/constraint.js";
import type { JsonSchema } from "../generation/constrain/schema/node.js";
import { FlagError, texts } from "./flags.js";

export interface ConstraintFlags {
  readonly jsonSchema?: string;
  readonly regex?: string;
  readonly choice?: readonly string[];
  readonly grammar?: string;
}

const flagOf = {
  jsonSchema: "--json-schema",
  regex: "--regex",
  choice: "--choice",
  grammar: "--grammar",
} as const;

export function constraintOptions(): Option[] {
  return [
    new Option("--json-schema <FILE|TEXT>", "write a JSON document that this schema admits (default: anything)"),
    new Option("--regex <REGEX>", "write a text that this expression matches as a whole (default: anything)"),
    new Option("--choice <TEXT>", "write this text, or another that is given so (default: anything)").argParser(
      texts("--choice"),
    ),
    new Option("--grammar <FILE>", "write what this GBNF grammar describes (default: anything)"),
  ];
}

/** @throws FlagError where two of them are given, or a schema is no JSON; FileNotFoundError */
export function constraintOf(flags: ConstraintFlags): Constraint | undefined {
  const given = (Object.keys(flagOf) as (keyof ConstraintFlags)[]).filter((name) => flags[name] !== undefined);
  if (given.length > 1) throw new FlagError(flagOf[given[1]], `without ${flagOf[given[0]]}`, String(flags[given[1]]));
  const { jsonSchema, regex, choice, grammar } = flags;
  if (jsonSchema !== undefined) return { jsonSchema: schemaOf(jsonSchema) };
  if (regex !== undefined) return { regex };
  if (choice !== undefined) return { choices: choice };
  return grammar === undefined ? undefined : { grammar: read(grammar, "a GBNF grammar") };
}

/** What begins like an object is the schema itself. */
function schemaOf(given: string): JsonSchema {
  const isText = /^\s*(\{|true\s*$|false\s*$)/.test(given);
  try {
    return JSON.parse(isText ? given : read(given, "a JSON Schema")) as JsonSchema;
  } catch (error) {
    if (error instanceof SyntaxError) throw new FlagError("--json-schema", `JSON (${error.message})`, given);
    throw error;
  }
}

function read(path: string, expected: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new FileNotFoundError(path, expected, (error as NodeJS.ErrnoException).code);
  }
}
