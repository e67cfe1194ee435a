/** Little-endian reading of a small binary file held in memory; never beyond its end. */
import { TruncatedFileError } from "../../core/errors.js";
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** A position in a file. */
export class ByteReader {
    bytes;
    format;
    view;
    at = 0;
    constructor(bytes, format) {
        this.bytes = bytes;
        this.format = format;
        this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    get remaining() {
        return this.bytes.length - this.at;
    }
    int32(field) {
        return this.view.getInt32(this.advance(4, field), true);
    }
    float32(field) {
        return this.view.getFloat32(this.advance(4, field), true);
    }
    /** `length` bytes, without copying. */
    take(length, field) {
        const start = this.advance(length, field);
        return this.bytes.subarray(start, start + length);
    }
    /** `length` bytes as UTF-8; malformed bytes become U+FFFD. */
    text(length, field) {
        return decoder.decode(this.take(length, field));
    }
    advance(length, field) {
        if (length > this.remaining) {
            throw new TruncatedFileError(this.format, field, this.at + length, this.bytes.length);
        }
        const start = this.at;
        this.at += length;
        return start;
    }
}
