/** Text in files: UTF-8, refused when it is not. */
import { FormatError } from "../core/errors.js";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();
/**
 * Decodes UTF-8.
 *
 * @throws FormatError naming `field` when the bytes are not UTF-8.
 */
export function decodeText(bytes, format, field, path) {
    try {
        return decoder.decode(bytes);
    }
    catch {
        throw new FormatError(format, field, "not valid UTF-8", path);
    }
}
export function encodeText(text) {
    return encoder.encode(text);
}
