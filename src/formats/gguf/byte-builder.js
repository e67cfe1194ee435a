/** Little-endian bytes that grow as they are written: the header of a GGUF file. */
import { encodeText } from "../text.js";
import { numberBytes } from "./types.js";
export class ByteBuilder {
    buffer = new Uint8Array(65_536);
    view = new DataView(this.buffer.buffer);
    length = 0;
    /** What was written so far; valid until the next write. */
    bytes() {
        return this.buffer.subarray(0, this.length);
    }
    u8(value) {
        const at = this.room(1);
        this.view.setUint8(at, value);
    }
    u32(value) {
        const at = this.room(4);
        this.view.setUint32(at, value, true);
    }
    u64(value) {
        const at = this.room(8);
        this.view.setBigUint64(at, BigInt(value), true);
    }
    /** `u64` length, UTF-8. */
    string(text) {
        const bytes = encodeText(text);
        this.u64(bytes.length);
        const at = this.room(bytes.length);
        this.buffer.set(bytes, at);
    }
    /** @returns false when an integer `type` cannot hold `value`; then the bytes written are meaningless. */
    number(type, value) {
        const at = this.room(numberBytes[type]);
        if (type === "f32")
            this.view.setFloat32(at, Number(value), true);
        else if (type === "f64")
            this.view.setFloat64(at, Number(value), true);
        else
            return this.integer(at, type, value);
        return true;
    }
    /** Zeros up to a multiple of `alignment`, a power of two. */
    pad(alignment) {
        const at = this.room(-this.length & (alignment - 1));
        this.buffer.fill(0, at, this.length);
    }
    integer(at, type, value) {
        if (typeof value === "number" && !Number.isSafeInteger(value))
            return false;
        const width = numberBytes[type];
        const least = type.startsWith("u") ? 0 : -(2 ** (8 * width - 1));
        if (value < least || value >= least + 2 ** (8 * width))
            return false;
        if (width === 8)
            this.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
        else
            for (let i = 0; i < width; i++)
                this.buffer[at + i] = (Number(value) >> (8 * i)) & 0xff;
        return true;
    }
    /** Makes room and gives its place. Called before `view` or `buffer` is touched: it may replace them. */
    room(bytes) {
        const at = this.length;
        this.length += bytes;
        if (this.length > this.buffer.length) {
            const larger = new Uint8Array(Math.max(this.length, this.buffer.length * 2));
            larger.set(this.buffer);
            this.buffer = larger;
            this.view = new DataView(larger.buffer);
        }
        return at;
    }
}
