/**
 * Every deliberate error of the package. Errors are classes with a stable `code` and the values in them;
 * an error that belongs to one layer only is declared beside that layer and extends `HithertoError`.
 */

/** Base of every deliberate error. `code` is stable across versions; `message` is not. */
export abstract class HithertoError extends Error {
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/** A number lies outside what a parameter allows. */
export class OutOfRangeError extends HithertoError {
  readonly code = "OUT_OF_RANGE";

  constructor(
    readonly parameter: string,
    readonly allowed: string,
    readonly actual: number | bigint,
  ) {
    super(`${parameter} must be ${allowed}, got ${actual}`);
  }
}

/** A value is of the wrong kind, or not one of those allowed. */
export class InvalidValueError extends HithertoError {
  readonly code = "INVALID_VALUE";

  constructor(
    readonly parameter: string,
    readonly allowed: string,
    readonly actual: unknown,
  ) {
    super(`${parameter} must be ${allowed}, got ${describe(actual)}`);
  }
}

/** An option, flag or configuration key that nothing understands. Options are never ignored. */
export class UnknownOptionError extends HithertoError {
  readonly code = "UNKNOWN_OPTION";

  constructor(
    readonly option: string,
    readonly known: readonly string[],
  ) {
    super(`unknown option ${JSON.stringify(option)}; known: ${known.join(", ")}`);
  }
}

/** Two shapes that must agree do not. */
export class ShapeError extends HithertoError {
  readonly code = "SHAPE_MISMATCH";

  constructor(
    readonly where: string,
    readonly expected: string,
    readonly actual: string,
  ) {
    super(`${where}: expected shape ${expected}, got ${actual}`);
  }
}

/** A file does not follow its format. `field` names the place; nothing was allocated from its claims. */
export class FormatError extends HithertoError {
  readonly code = "BAD_FORMAT";

  constructor(
    readonly format: string,
    readonly field: string,
    readonly problem: string,
    readonly path?: string,
  ) {
    super(`${path === undefined ? format : `${path} (${format})`}: ${field}: ${problem}`);
  }
}

/** The file ends before its own header says it should: an interrupted download, most often. */
export class TruncatedFileError extends HithertoError {
  readonly code = "TRUNCATED_FILE";

  constructor(
    readonly format: string,
    readonly field: string,
    readonly needed: number,
    readonly available: number,
    readonly path?: string,
  ) {
    super(
      `${path === undefined ? format : `${path} (${format})`}: ${field} needs ${needed} bytes, ` +
        `but the file has only ${available}; was the download interrupted?`,
    );
  }
}

/** A known format, used in a way that this package does not support. */
export class UnsupportedError extends HithertoError {
  readonly code = "UNSUPPORTED";

  constructor(
    readonly what: string,
    readonly actual: string,
    readonly supported: readonly string[],
  ) {
    super(`${what} ${JSON.stringify(actual)} is not supported; supported: ${supported.join(", ")}`);
  }
}

/** A file or folder that was named does not exist or cannot be read. */
export class FileNotFoundError extends HithertoError {
  readonly code = "FILE_NOT_FOUND";

  /** @param systemCode - the operating system's reason, such as `"EACCES"`; default: that there is none */
  constructor(
    readonly path: string,
    readonly expected: string,
    readonly systemCode = "ENOENT",
  ) {
    super(`${path}: ${systemReason(systemCode)}; expected ${expected}`);
  }
}

function systemReason(code: string): string {
  if (code === "ENOENT") return "not found";
  return code === "EACCES" || code === "EPERM" ? `permission denied (${code})` : `cannot be opened (${code})`;
}

/** A tensor that the model needs is not in the checkpoint. */
export class MissingTensorError extends HithertoError {
  readonly code = "MISSING_TENSOR";

  constructor(
    readonly tensor: string,
    readonly path: string,
  ) {
    super(`${path}: tensor ${JSON.stringify(tensor)} is missing`);
  }
}

/** Memory for weights, states or a program is not to be had. */
export class OutOfMemoryError extends HithertoError {
  readonly code = "OUT_OF_MEMORY";

  constructor(
    readonly bytes: number,
    readonly where: string,
  ) {
    super(`${where} has no ${bytes} bytes of memory left to give`);
  }
}

/** An object was used after it was disposed. */
export class DisposedError extends HithertoError {
  readonly code = "DISPOSED";

  constructor(readonly what: string) {
    super(`${what} was used after it was disposed`);
  }
}

/** A mistake of our own, never the user's. */
export class InternalError extends HithertoError {
  readonly code = "INTERNAL";
}

/** Throws `InternalError` unless `condition` holds. For our own invariants only. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}

function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value !== null && typeof value === "object") return `an object (${Object.keys(value).slice(0, 5).join(", ")})`;
  return String(value);
}
