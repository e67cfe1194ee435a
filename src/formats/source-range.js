/** The check that every byte source makes before it reads. */
import { OutOfRangeError, TruncatedFileError } from "../core/errors.js";
/**
 * Checks that `[offset, offset + length)` lies inside a source.
 *
 * @throws OutOfRangeError when `offset` is negative or not whole, TruncatedFileError when the source ends first.
 */
export function checkRange(source, offset, length) {
    if (!Number.isSafeInteger(offset) || offset < 0) {
        throw new OutOfRangeError("offset", "a whole number of bytes, zero or more", offset);
    }
    if (offset + length > source.size) {
        throw new TruncatedFileError("file", `the range at byte ${offset}`, offset + length, source.size, source.name);
    }
}
