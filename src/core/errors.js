/**
 * Every deliberate error of the package. Errors are classes with a stable `code` and the values in them;
 * an error that belongs to one layer only is declared beside that layer and extends `HithertoError`.
 */
/** Base of every deliberate error. `code` is stable across versions; `message` is not. */
export class HithertoError extends Error {
    get name() {
        return this.constructor.name;
    }
}
/** A number lies outside what a parameter allows. */
export class OutOfRangeError extends HithertoError {
    parameter;
    allowed;
    actual;
    code = "OUT_OF_RANGE";
    constructor(parameter, allowed, actual) {
        super(`${parameter} must be ${allowed}, got ${actual}`);
        this.parameter = parameter;
        this.allowed = allowed;
        this.actual = actual;
    }
}
/** A value is of the wrong kind, or not one of those allowed. */
export class InvalidValueError extends HithertoError {
    parameter;
    allowed;
    actual;
    code = "INVALID_VALUE";
    constructor(parameter, allowed, actual) {
        super(`${parameter} must be ${allowed}, got ${describe(actual)}`);
        this.parameter = parameter;
        this.allowed = allowed;
        this.actual = actual;
    }
}
/** An option, flag or configuration key that nothing understands. Options are never ignored. */
export class UnknownOptionError extends HithertoError {
    option;
    known;
    code = "UNKNOWN_OPTION";
    constructor(option, known) {
        super(`unknown option ${JSON.stringify(option)}; known: ${known.join(", ")}`);
        this.option = option;
        this.known = known;
    }
}
/** Two shapes that must agree do not. */
export class ShapeError extends HithertoError {
    where;
    expected;
    actual;
    code = "SHAPE_MISMATCH";
    constructor(where, expected, actual) {
        super(`${where}: expected shape ${expected}, got ${actual}`);
        this.where = where;
        this.expected = expected;
        this.actual = actual;
    }
}
/** A file does not follow its format. `field` names the place; nothing was allocated from its claims. */
export class FormatError extends HithertoError {
    format;
    field;
    problem;
    path;
    code = "BAD_FORMAT";
    constructor(format, field, problem, path) {
        super(`${path === undefined ? format : `${path} (${format})`}: ${field}: ${problem}`);
        this.format = format;
        this.field = field;
        this.problem = problem;
        this.path = path;
    }
}
/** The file ends before its own header says it should: an interrupted download, most often. */
export class TruncatedFileError extends HithertoError {
    format;
    field;
    needed;
    available;
    path;
    code = "TRUNCATED_FILE";
    constructor(format, field, needed, available, path) {
        super(`${path === undefined ? format : `${path} (${format})`}: ${field} needs ${needed} bytes, ` +
            `but the file has only ${available}; was the download interrupted?`);
        this.format = format;
        this.field = field;
        this.needed = needed;
        this.available = available;
        this.path = path;
    }
}
/** A known format, used in a way that this package does not support. */
export class UnsupportedError extends HithertoError {
    what;
    actual;
    supported;
    code = "UNSUPPORTED";
    constructor(what, actual, supported) {
        super(`${what} ${JSON.stringify(actual)} is not supported; supported: ${supported.join(", ")}`);
        this.what = what;
        this.actual = actual;
        this.supported = supported;
    }
}
/** A file or folder that was named does not exist or cannot be read. */
export class FileNotFoundError extends HithertoError {
    path;
    expected;
    systemCode;
    code = "FILE_NOT_FOUND";
    /** @param systemCode - the operating system's reason, such as `"EACCES"`; default: that there is none */
    constructor(path, expected, systemCode = "ENOENT") {
        super(`${path}: ${systemReason(systemCode)}; expected ${expected}`);
        this.path = path;
        this.expected = expected;
        this.systemCode = systemCode;
    }
}
function systemReason(code) {
    if (code === "ENOENT")
        return "not found";
    return code === "EACCES" || code === "EPERM" ? `permission denied (${code})` : `cannot be opened (${code})`;
}
/** A tensor that the model needs is not in the checkpoint. */
export class MissingTensorError extends HithertoError {
    tensor;
    path;
    code = "MISSING_TENSOR";
    constructor(tensor, path) {
        super(`${path}: tensor ${JSON.stringify(tensor)} is missing`);
        this.tensor = tensor;
        this.path = path;
    }
}
/** Memory for weights, states or a program is not to be had. */
export class OutOfMemoryError extends HithertoError {
    bytes;
    where;
    code = "OUT_OF_MEMORY";
    constructor(bytes, where) {
        super(`${where} has no ${bytes} bytes of memory left to give`);
        this.bytes = bytes;
        this.where = where;
    }
}
/** An object was used after it was disposed. */
export class DisposedError extends HithertoError {
    what;
    code = "DISPOSED";
    constructor(what) {
        super(`${what} was used after it was disposed`);
        this.what = what;
    }
}
/** A mistake of our own, never the user's. */
export class InternalError extends HithertoError {
    code = "INTERNAL";
}
/** Throws `InternalError` unless `condition` holds. For our own invariants only. */
export function assert(condition, message) {
    if (!condition)
        throw new InternalError(message);
}
function describe(value) {
    if (typeof value === "string")
        return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
    if (typeof value === "function")
        return "a function";
    if (Array.isArray(value))
        return `an array of ${value.length}`;
    if (value !== null && typeof value === "object")
        return `an object (${Object.keys(value).slice(0, 5).join(", ")})`;
    return String(value);
}
