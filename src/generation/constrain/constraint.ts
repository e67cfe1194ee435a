/** What a completion may look like: the kinds of constraints, each made into the one automaton. */
import { InvalidValueError } from "../../core/errors.js";
import { rejectUnknownOptions } from "../../core/options.js";
import { Automaton } from "./automaton.js";
import { EmptyConstraintError } from "./errors.js";
import { parseGbnf } from "./gbnf.js";
import { utf8Encoding } from "./regular/encoding.js";
import { literalText } from "./regular/literal.js";
import { RegexMachine } from "./regular/regex-machine.js";
import { parseRegex, type RegexNode } from "./regular/syntax.js";
import { compileSchema } from "./schema/compile.js";
import type { JsonSchema } from "./schema/node.js";
import type { Whitespace } from "./schema/punctuation.js";
import { MachineTerm, type Term } from "./term.js";

/** What a completion has to be, as a whole. Exactly one of these. */
export type Constraint =
  /** Matches this regular expression from its beginning to its end, in JavaScript's syntax with the `u` flag. */
  | { readonly regex: string }
  /** Is one of these texts. */
  | { readonly choices: readonly string[] }
  /** Follows this grammar from its rule `root`, in GBNF, the notation of llama.cpp. */
  | { readonly grammar: string }
  /** Is a JSON document that this schema (draft 2020-12) admits. */
  | {
      readonly jsonSchema: JsonSchema;
      /** White space between the signs of the document: one, or a line break and some, or none. Default "some". */
      readonly whitespace?: Whitespace;
    };

const kinds = ["regex", "choices", "grammar", "jsonSchema"] as const;

/**
 * @throws InvalidValueError, UnknownOptionError, GrammarSyntaxError, UnsupportedKeywordError, InvalidSchemaError,
 *   EmptyConstraintError, ConstraintLimitError
 */
export function compileConstraint(constraint: Constraint): Automaton {
  rejectUnknownOptions(constraint, "jsonSchema" in constraint ? [...kinds, "whitespace"] : kinds, "constraint");
  const given = kinds.filter((kind) => (constraint as Record<string, unknown>)[kind] !== undefined);
  if (given.length !== 1) throw new InvalidValueError("constraint", `one of ${kinds.join(", ")}`, constraint);
  const { what, root } = rootOf(constraint);
  if (root.shortest() === Number.POSITIVE_INFINITY) throw new EmptyConstraintError(what);
  return new Automaton(root);
}

function rootOf(constraint: Constraint): { readonly what: string; readonly root: Term } {
  if ("regex" in constraint) {
    if (typeof constraint.regex !== "string")
      throw new InvalidValueError("constraint.regex", "a text", constraint.regex);
    return { what: `the regular expression ${constraint.regex}`, root: regular(parseRegex(constraint.regex)) };
  }
  if ("grammar" in constraint) {
    if (typeof constraint.grammar !== "string")
      throw new InvalidValueError("constraint.grammar", "a text", constraint.grammar);
    return { what: "the grammar", root: parseGbnf(constraint.grammar) };
  }
  if ("jsonSchema" in constraint) {
    const { jsonSchema, whitespace = "some" } = constraint;
    if (whitespace !== "some" && whitespace !== "none") {
      throw new InvalidValueError("constraint.whitespace", '"some" or "none"', whitespace);
    }
    return { what: "the JSON Schema", root: compileSchema(jsonSchema, whitespace) };
  }
  const { choices } = constraint;
  if (!Array.isArray(choices) || choices.some((choice) => typeof choice !== "string")) {
    throw new InvalidValueError("constraint.choices", "a list of texts", choices);
  }
  return { what: "an empty list of choices", root: regular({ kind: "choice", options: choices.map(literalText) }) };
}

function regular(node: RegexNode): Term {
  return new MachineTerm(new RegexMachine(node, utf8Encoding));
}
