/** Options are never ignored: a key that nothing understands is an error. */
import { InvalidValueError, UnknownOptionError } from "./errors.js";
/**
 * Checks that `options` has no key outside `known`.
 *
 * @param where - prefix for the error, such as `"sampling"`; empty for the top level.
 * @throws UnknownOptionError at the first unknown key, InvalidValueError when `options` is not an object.
 */
export function rejectUnknownOptions(options, known, where = "") {
    if (options === null || typeof options !== "object" || Array.isArray(options)) {
        throw new InvalidValueError(where || "options", "an object", options);
    }
    for (const key of Object.keys(options)) {
        if (!known.includes(key))
            throw new UnknownOptionError(where === "" ? key : `${where}.${key}`, known);
    }
}
