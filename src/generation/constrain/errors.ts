/** What can be wrong with a constraint, and with following one. */
import { HithertoError } from "../../core/errors.js";

/** A regular expression or a grammar that cannot be read. */
export class GrammarSyntaxError extends HithertoError {
  readonly code = "GRAMMAR_SYNTAX";

  constructor(
    readonly language: "regular expression" | "GBNF",
    readonly source: string,
    /** Index of the UTF-16 unit where reading stopped. */
    readonly at: number,
    readonly problem: string,
  ) {
    super(`${language}: ${problem} at character ${at}${where(language, source, at)}`);
  }
}

function where(language: string, source: string, at: number): string {
  if (language !== "GBNF") return ` of ${JSON.stringify(source.length > 80 ? `${source.slice(0, 80)}…` : source)}`;
  const before = source.slice(0, at);
  const line = before.split("\n").length;
  return ` (line ${line}, column ${at - before.lastIndexOf("\n")})`;
}

/** A keyword of a JSON Schema that constrained output does not support: to ignore it would break its promise. */
export class UnsupportedKeywordError extends HithertoError {
  readonly code = "UNSUPPORTED_KEYWORD";

  constructor(
    readonly keyword: string,
    /** JSON pointer of the keyword, as a URI fragment: `#/properties/a/uniqueItems`. */
    readonly pointer: string,
    readonly reason = "is not supported in constrained output",
  ) {
    super(`JSON Schema: ${pointer}: ${JSON.stringify(keyword)} ${reason}`);
  }
}

/** A JSON Schema that is not one. */
export class InvalidSchemaError extends HithertoError {
  readonly code = "INVALID_SCHEMA";

  constructor(
    readonly pointer: string,
    readonly problem: string,
  ) {
    super(`JSON Schema: ${pointer}: ${problem}`);
  }
}

/** No output at all satisfies the constraint. */
export class EmptyConstraintError extends HithertoError {
  readonly code = "EMPTY_CONSTRAINT";

  constructor(readonly what: string) {
    super(`${what} admits nothing: no output could ever satisfy it`);
  }
}

/** A constraint needs more than one of the limits on its size. */
export class ConstraintLimitError extends HithertoError {
  readonly code = "CONSTRAINT_LIMIT";

  constructor(
    readonly limit: string,
    readonly allowed: number,
  ) {
    super(`the constraint is too large: more than ${allowed} ${limit}`);
  }
}

/** A token was given that the constraint does not allow where it stands. */
export class ConstraintViolationError extends HithertoError {
  readonly code = "CONSTRAINT_VIOLATION";

  constructor(
    readonly token: number,
    readonly position: number,
  ) {
    super(`the constraint does not allow token ${token} at position ${position}`);
  }
}

/** The constraint allows a continuation, but no token of the vocabulary spells it. */
export class NoAllowedTokenError extends HithertoError {
  readonly code = "NO_ALLOWED_TOKEN";

  constructor(readonly position: number) {
    super(`the vocabulary has no token that the constraint allows at position ${position}`);
  }
}
